using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Watching;

public sealed class WatchBufferTests
{
    private static readonly TaskRecord Submitted = TaskTransitions.Submit(Id("t"), Spec, null, "", null, new Stamp(1, DateTimeOffset.UnixEpoch));
    private static readonly TaskRecord Running = TaskTransitions.Start(Submitted, default, new Stamp(2, DateTimeOffset.UnixEpoch));

    private readonly WatchBuffer _buffer = new(static _ => true, new BufferedBytes(1000));

    [Fact]
    public void Progress_goes_with_a_change_that_is_not_told_yet()
    {
        Offer(ChangeType.Changed);
        Offer(ChangeType.Progressed, 0.5);

        WatchEvent told = Assert.Single(_buffer.Take(after: 1, Ten).Events);

        Assert.Equal((WatchEventType.Changed, 0.5), (told.Type, told.Change!.Task.Progress!.Fraction));
    }

    [Fact]
    public void Progress_is_told_alone_to_whoever_knows_the_change_already()
    {
        Offer(ChangeType.Changed);
        Offer(ChangeType.Progressed, 0.25);
        Offer(ChangeType.Progressed, 0.5);

        WatchEvent told = Assert.Single(_buffer.Take(after: 2, Ten).Events);

        Assert.Equal((WatchEventType.Progress, 0.5), (told.Type, told.Change!.Task.Progress!.Fraction));
    }

    [Fact]
    public void Who_catches_up_with_changes_is_told_of_progress_after_that()
    {
        var buffer = new WatchBuffer(static _ => true, new BufferedBytes(1000), catchesUp: true);
        Offer(buffer, ChangeType.Changed);
        Offer(buffer, ChangeType.Progressed, 0.5);

        Assert.Empty(buffer.Take(after: 0, Ten).Events);
        Assert.True(buffer.TakeBehind());
        WatchEvent told = Assert.Single(buffer.Take(after: 2, Ten).Events);

        Assert.Equal((WatchEventType.Progress, 0.5), (told.Type, told.Change!.Task.Progress!.Fraction));
    }

    [Fact]
    public void Progress_from_before_a_change_is_not_told_after_it()
    {
        var buffer = new WatchBuffer(static _ => true, new BufferedBytes(1000), catchesUp: true);
        Offer(buffer, ChangeType.Changed);
        Offer(buffer, ChangeType.Progressed, 0.5);
        Offer(buffer, ChangeType.Changed);

        Assert.True(buffer.TakeBehind());
        Assert.Equal((0, true), (buffer.Take(after: 2, Ten).Events.Count, buffer.Take(after: 2, Ten).Emptied));
    }

    [Fact]
    public void A_change_that_is_not_watched_leaves_nobody_behind()
    {
        var buffer = new WatchBuffer(static _ => false, new BufferedBytes(1000), catchesUp: true);
        Offer(buffer, ChangeType.Changed);
        Assert.False(buffer.TakeBehind());
    }

    /// <summary>What two buffers keep of one change counts once; a closed buffer keeps nothing.</summary>
    [Fact]
    public void What_the_buffers_of_all_watchers_keep_is_counted_once_and_let_go_when_it_is_taken_replaced_or_closed()
    {
        var buffered = new BufferedBytes(10_000);
        WatchBuffer[] buffers = [.. Enumerable.Range(0, 4).Select(_ => new WatchBuffer(static _ => true, buffered))];
        TaskChange change = Large(ChangeType.Changed);
        foreach (WatchBuffer buffer in buffers)
            buffer.Offer(change);
        Assert.Equal(1000, buffered.Bytes);

        buffers[0].Take(after: 0, Ten);
        buffers[1].Close();
        buffers[1].Offer(change);
        buffers[2].Overflow();
        Assert.Equal(1000, buffered.Bytes);
        buffers[3].Offer(Large(ChangeType.Progressed));
        Assert.Equal(2000, buffered.Bytes);
        buffers[3].Offer(Large(ChangeType.Changed));
        Assert.Equal(1000, buffered.Bytes);
        buffers[3].Close();
        Assert.Equal(0, buffered.Bytes);
    }

    [Fact]
    public void When_all_buffers_together_keep_much_progress_goes_first_and_then_a_buffer_is_behind()
    {
        var buffered = new BufferedBytes(2000);
        var others = new WatchBuffer(static _ => true, buffered);
        var buffer = new WatchBuffer(static _ => true, buffered);
        others.Offer(Large(ChangeType.Changed));
        buffer.Offer(Large(ChangeType.Changed));
        buffer.Offer(Large(ChangeType.Progressed));
        Assert.Equal((2000, WatchEventType.Changed, null), (buffered.Bytes, Assert.Single(buffer.Take(after: 0, Ten).Events) is { } told ? told.Type : default, told.Change!.Task.Progress));

        buffer.Offer(Large(ChangeType.Changed));
        Assert.False(buffer.TakeBehind());
        buffer.Offer(Large(ChangeType.Changed, "u"));
        Assert.True(buffer.TakeBehind());
        Assert.Equal(1000, buffered.Bytes);
        Assert.False(others.TakeBehind());
    }

    private static Portion Ten => new(bytesMax: 1 << 20, eventsMax: 10);

    internal static TaskChange Large(ChangeType type, string id = "t")
    {
        TaskProgress? progress = type == ChangeType.Progressed ? new TaskProgress(0.5, "", DateTimeOffset.UnixEpoch) : null;
        return new TaskChange(type, Running with { Id = Id(id), Spec = Spec with { Payload = new byte[1000] }, Progress = progress }, Running.Revision);
    }

    private void Offer(ChangeType type, double? fraction = null) => Offer(_buffer, type, fraction);

    private static void Offer(WatchBuffer buffer, ChangeType type, double? fraction = null)
    {
        TaskProgress? progress = fraction is { } value ? new TaskProgress(value, "", DateTimeOffset.UnixEpoch) : null;
        buffer.Offer(new TaskChange(type, Running with { Progress = progress }, Running.Revision));
    }
}
