using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Watching;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Watching;

public sealed class WatchRoomTests
{
    private const int PayloadBytes = 500_000;

    private static readonly WatchQuery Everything = new() { Filter = new TaskFilter("default") };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = TimeoutMs)]
    public async Task Who_finds_no_room_waits_in_the_order_of_coming_and_those_who_have_read_before_go_first()
    {
        var room = new WatchRoom(100);
        Assert.True(room.TryEnter(50, reads: false));
        Assert.False(room.TryEnter(10, reads: false));
        Task first = room.EnterAsync(10, reads: false, Stop);
        Task second = room.EnterAsync(10, reads: false, Stop);
        Assert.True(room.TryEnter(40, reads: true));
        Task reader = room.EnterAsync(20, reads: true, Stop);
        Assert.True(room.IsCrowded);
        Assert.False(first.IsCompleted || second.IsCompleted || reader.IsCompleted);

        room.Leave(40);
        await reader;
        Assert.False(first.IsCompleted || second.IsCompleted);
        Assert.Equal(70, room.Held);

        room.Leave(50);
        await first;
        await second;
        Assert.False(room.IsCrowded);
        Assert.Equal(40, room.Held);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task More_than_there_is_room_for_is_held_by_one_alone()
    {
        var room = new WatchRoom(100);
        Assert.True(room.TryEnter(500, reads: false));
        Task next = room.EnterAsync(500, reads: true, Stop);
        Assert.False(next.IsCompleted);
        room.Leave(500);
        await next;
        Assert.Equal(500, room.Held);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Who_leaves_while_waiting_is_in_nobodys_way()
    {
        var room = new WatchRoom(100);
        Assert.True(room.TryEnter(80, reads: true));
        using var leaving = new CancellationTokenSource();
        Task left = room.EnterAsync(50, reads: true, leaving.Token);
        Task stays = room.EnterAsync(20, reads: true, Stop);
        Assert.False(stays.IsCompleted);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        await stays;
        Assert.Equal((100, false), (room.Held, room.IsCrowded));
    }

    /// <summary>Who does not read holds what he has been told: that of many must need no room.</summary>
    [Fact(Timeout = TimeoutMs)]
    public async Task What_a_watcher_is_told_at_a_time_is_little_at_first_and_more_with_all_that_it_reads()
    {
        const int Tasks = 2000;
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync([.. Enumerable.Range(0, Tasks).Select(static i => New($"t{i}", Spec with { Kind = NobodysKind, Payload = new byte[100] }))]);
        using Watch watch = pool.Pool.Watch(Everything);
        await using IAsyncEnumerator<WatchBatch> batches = watch.ReadAsync(Stop).GetAsyncEnumerator(Stop);
        var told = new List<int>();
        for (int all = 0; all < Tasks && await batches.MoveNextAsync(); all += told[^1])
        {
            told.Add(batches.Current.Events.Count);
            Assert.Equal(told[^1] > 10, watch.Place.Holds);
        }

        Assert.Equal([10, 10, 20, 40, 80, 160], told.Take(6));
        Assert.Equal(Watch.EventsMax, told.Max());
    }

    [Fact]
    public void A_portion_has_one_event_at_least_and_no_further_one_that_would_be_too_much()
    {
        var told = WatchEvent.Of(WatchBufferTests.Large(ChangeType.Changed));
        long bytes = WatchPlace.BytesOf(told);
        var one = new Portion((2 * bytes) - 1, 10);
        Assert.Equal((true, false), (one.TryAdd(told), one.TryAdd(told)));
        var two = new Portion(2 * bytes, 10);
        Assert.Equal((true, true, false), (two.TryAdd(told), two.TryAdd(told), two.TryAdd(told)));
        var small = new Portion(1, 10);
        Assert.Equal((true, false), (small.TryAdd(told), small.TryAdd(WatchEvent.Synced)));
    }

    /// <summary>Each would hold all of it: by ids in its buffer, by a filter in what it has read.</summary>
    [Theory(Timeout = TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_watchers_together_hold_little_of_large_tasks_and_those_that_read_miss_none(bool byIds)
    {
        const int Watchers = 50, Tasks = 20;
        const long BytesMax = 16 << 20;
        await using TestPool pool = await StartAsync(static options => options.Limits.WatchBytesMax = BytesMax);
        string[] ids = [.. Enumerable.Range(0, Tasks).Select(static i => $"t{i}")];
        NewTask[] tasks = [.. ids.Select(static id => New(id, Spec with { Payload = new byte[PayloadBytes] }))];
        WatchQuery query = byIds ? new WatchQuery { Ids = [.. ids.Select(static id => Id(id))] } : Everything;
        if (byIds)
            await pool.SubmitAsync(tasks);
        WatchReader[] slow = [.. Enumerable.Range(0, Watchers).Select(_ => WatchReader.Start(pool, query, slow: true))];
        if (!byIds)
        {
            foreach (WatchReader reader in slow)
            {
                reader.Read(1);
                await reader.SyncedAsync();
            }

            await pool.SubmitAsync(tasks);
        }

        WatchRooms rooms = pool.Pool.WatchRooms;
        await UntilCrowdedAsync(rooms);
        pool.Handler.LetGo();
        await pool.WhenAllAsync(ids, TaskState.Succeeded);
        await pool.SettleAsync();

        // The buffers have what was added when there was still room.
        Assert.InRange(rooms.Large.Held + rooms.Small.Held, 1, BytesMax);
        Assert.InRange(rooms.Buffered.Bytes, 0, (BytesMax / 4) + PayloadBytes);

        // Now that they read, each is told of every end.
        foreach (WatchReader reader in slow)
            reader.Read(10_000);
        foreach (WatchReader reader in slow)
        {
            await reader.UntilAllFinalAsync(ids);
            await reader.DisposeAsync();
        }

        Assert.Equal((0, 0, 0), (rooms.Large.Held, rooms.Small.Held, rooms.Buffered.Bytes));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Who_waits_for_room_is_told_of_a_drain()
    {
        await using TestPool pool = await StartAsync(static options => options.Limits.WatchBytesMax = 1 << 20);
        await pool.SubmitAsync([.. Enumerable.Range(0, 4).Select(static i => New($"t{i}", Spec with { Kind = NobodysKind, Payload = new byte[PayloadBytes] }))]);
        await using WatchReader first = WatchReader.Start(pool, Everything, slow: true);
        await using WatchReader second = WatchReader.Start(pool, Everything, slow: true);
        await UntilCrowdedAsync(pool.Pool.WatchRooms);
        Task drain = pool.Pool.DrainAsync();
        Task ended = await Task.WhenAny(first.Ended, second.Ended);
        Assert.Equal(WatchFault.Draining, (await Assert.ThrowsAsync<WatchException>(() => ended)).Fault);
        await drain;
    }

    private static async Task UntilCrowdedAsync(WatchRooms rooms)
    {
        while (!rooms.Large.IsCrowded)
        {
            Stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
