using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Memory;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;

namespace GrpcPool.Core.Tests.Watching;

public class HistoryPagesTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    private readonly MemoryTaskStore _store = new(historyMax: 100);

    [Fact]
    public async Task Watchers_that_are_behind_together_share_a_page()
    {
        long floor = await FillAsync(20);
        var pages = new HistoryPages(_store);

        ChangeSpan first = (await pages.ReadAsync(floor, limit: 10, Never))!.Value;
        ChangeSpan second = (await pages.ReadAsync(first.Changes[4].Revision, limit: 10, Never))!.Value;
        ChangeSpan next = (await pages.ReadAsync(first.UpTo, limit: 10, Never))!.Value;

        Assert.Equal(10, first.Changes.Count);
        Assert.Same(first.Changes[9], second.Changes[9]);
        Assert.Equal(10, next.Changes.Count);
        Assert.True(next.Changes[0].Revision > first.UpTo);
    }

    [Fact]
    public async Task What_came_after_a_page_is_read_anew()
    {
        long floor = await FillAsync(3);
        var pages = new HistoryPages(_store);
        ChangeSpan before = (await pages.ReadAsync(floor, limit: 10, Never))!.Value;

        await FillAsync(3, from: 3, open: false);
        ChangeSpan after = (await pages.ReadAsync(before.UpTo, limit: 10, Never))!.Value;

        Assert.Equal((3, 3), (before.Changes.Count, after.Changes.Count));
    }

    [Fact]
    public async Task What_the_store_no_longer_knows_is_not_known()
    {
        long floor = await FillAsync(200);
        Assert.Null(await new HistoryPages(_store).ReadAsync(floor, limit: 10, Never));
    }

    [Fact]
    public async Task Of_pages_with_large_payloads_the_oldest_are_let_go()
    {
        long floor = await FillAsync(2, payload: new byte[10 << 20]);
        var pages = new HistoryPages(_store);
        ChangeSpan first = (await pages.ReadAsync(floor, limit: 1, Never))!.Value;
        ChangeSpan second = (await pages.ReadAsync(first.UpTo, limit: 1, Never))!.Value;

        Assert.Same(second.Changes[0], (await pages.ReadAsync(first.UpTo, limit: 1, Never))!.Value.Changes[0]);
        Assert.NotSame(first.Changes[0], (await pages.ReadAsync(floor, limit: 1, Never))!.Value.Changes[0]);
    }

    [Fact]
    public async Task A_page_that_is_too_large_to_be_kept_leaves_the_others()
    {
        long floor = await FillAsync(1);
        await FillAsync(1, from: 1, open: false, payload: new byte[17 << 20]);
        var pages = new HistoryPages(_store);
        ChangeSpan small = (await pages.ReadAsync(floor, limit: 1, Never))!.Value;
        ChangeSpan huge = (await pages.ReadAsync(small.UpTo, limit: 1, Never))!.Value;

        Assert.Same(small.Changes[0], (await pages.ReadAsync(floor, limit: 1, Never))!.Value.Changes[0]);
        Assert.NotSame(huge.Changes[0], (await pages.ReadAsync(small.UpTo, limit: 1, Never))!.Value.Changes[0]);
    }

    private async Task<long> FillAsync(int tasks, int from = 0, bool open = true, ReadOnlyMemory<byte> payload = default)
    {
        long floor = open ? (await _store.OpenAsync(DateTimeOffset.UnixEpoch, Never)).Revision : 0;
        IEnumerable<Insertion> items = Enumerable.Range(from, tasks)
            .Select(i => new Insertion(new NewTask(new TaskId("n", $"t{i}"), new TaskSpec { Kind = "k", Queue = "q", Payload = payload }), InsertMode.Plain));
        await _store.CommitAsync([new InsertTasks([.. items])], DateTimeOffset.UnixEpoch);
        return floor;
    }
}
