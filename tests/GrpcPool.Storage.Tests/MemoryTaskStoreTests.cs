using System.Runtime.InteropServices;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Memory;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public sealed class MemoryTaskStoreTests : TaskStoreConformance
{
    private protected override ITaskStore CreateStore(int historyMax) => new MemoryTaskStore(historyMax);

    /// <summary>Else a few that are held would keep the memory of all that finished beside them: only a page of the history, which is soon let go, shares it.</summary>
    [Fact]
    public async Task A_finished_task_that_is_found_has_its_payload_apart_from_its_neighbours()
    {
        var store = new MemoryTaskStore(historyMax: 1000);
        long floor = (await store.OpenAsync(Given.Now, CancellationToken.None)).Revision;
        NewTask[] tasks = [.. Enumerable.Range(0, 100).Select(static i => Given.Task($"t{i}", Given.Spec with { Payload = new byte[] { (byte)i, 7 } }))];
        await store.CommitAsync([Given.Insert(tasks)], Given.Now);
        await store.CommitAsync([.. tasks.Select(static task => new CancelTask(task.Id, "", ""))], Given.Now);

        ReadOnlyMemory<byte> found = (await store.FindAsync(tasks[50].Id))!.Spec.Payload;
        ReadOnlyMemory<byte> told = (await store.ReadChangesAsync(floor, limit: 100)).Changes[50].Task!.Spec.Payload;

        Assert.Equal([50, 7], found.ToArray());
        Assert.Equal([50, 7], told.ToArray());
        Assert.Equal(2, SizeOfArray(found));
        Assert.InRange(SizeOfArray(told), 1000, int.MaxValue);

        static int SizeOfArray(ReadOnlyMemory<byte> memory) => MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> segment) ? segment.Array!.Length : 0;
    }
}
