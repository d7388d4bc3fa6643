using System.Runtime.InteropServices;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Memory;
using GrpcPool.Testing;

namespace GrpcPool.Storage.Tests;

public sealed class MemoryTaskStoreTests : TaskStoreConformance
{
    private protected override ITaskStore CreateStore(int historyMax) => new MemoryTaskStore(historyMax);

    /// <summary>Else a few that wait would keep the memory of all that finished beside them.</summary>
    [Fact]
    public async Task A_task_that_runs_again_has_its_payload_apart_from_those_that_have_finished()
    {
        var store = new MemoryTaskStore(historyMax: 100);
        await store.OpenAsync(Given.Now, CancellationToken.None);
        NewTask[] tasks = [.. Enumerable.Range(0, 100).Select(static i => Given.Task($"t{i}", Given.Spec with { Payload = new byte[100] }))];
        await store.CommitAsync([Given.Insert(tasks)], Given.Now);
        await store.CommitAsync([.. tasks.Select(static task => new CancelTask(task.Id, "", ""))], Given.Now);
        Assert.InRange(SizeOfArray(await PayloadAsync()), 1000, int.MaxValue);

        await store.CommitAsync([new RetryTask(tasks[50].Id)], Given.Now);

        Assert.Equal(100, SizeOfArray(await PayloadAsync()));

        async Task<ReadOnlyMemory<byte>> PayloadAsync() => (await store.FindAsync(tasks[50].Id))!.Spec.Payload;

        static int SizeOfArray(ReadOnlyMemory<byte> memory) => MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> segment) ? segment.Array!.Length : 0;
    }
}
