using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Watching;

public sealed class WatchBufferTests
{
    private static readonly TaskRecord Submitted = TaskTransitions.Submit(Id("t"), Spec, null, "", null, new Stamp(1, DateTimeOffset.UnixEpoch));
    private static readonly TaskRecord Running = TaskTransitions.Start(Submitted, default, new Stamp(2, DateTimeOffset.UnixEpoch));

    private readonly WatchBuffer _buffer = new(static _ => true);

    [Fact]
    public void Progress_goes_with_a_change_that_is_not_told_yet()
    {
        Offer(ChangeType.Changed);
        Offer(ChangeType.Progressed, 0.5);

        WatchEvent told = Assert.Single(_buffer.Take(after: 1, max: 10).Events);

        Assert.Equal((WatchEventType.Changed, 0.5), (told.Type, told.Change!.Task.Progress!.Fraction));
    }

    [Fact]
    public void Progress_is_told_alone_to_whoever_knows_the_change_already()
    {
        Offer(ChangeType.Changed);
        Offer(ChangeType.Progressed, 0.25);
        Offer(ChangeType.Progressed, 0.5);

        WatchEvent told = Assert.Single(_buffer.Take(after: 2, max: 10).Events);

        Assert.Equal((WatchEventType.Progress, 0.5), (told.Type, told.Change!.Task.Progress!.Fraction));
    }

    [Fact]
    public void Who_catches_up_with_changes_is_told_of_progress_after_that()
    {
        var buffer = new WatchBuffer(static _ => true, catchesUp: true);
        Offer(buffer, ChangeType.Changed);
        Offer(buffer, ChangeType.Progressed, 0.5);

        Assert.Empty(buffer.Take(after: 0, max: 10).Events);
        Assert.True(buffer.TakeBehind());
        WatchEvent told = Assert.Single(buffer.Take(after: 2, max: 10).Events);

        Assert.Equal((WatchEventType.Progress, 0.5), (told.Type, told.Change!.Task.Progress!.Fraction));
    }

    [Fact]
    public void Progress_from_before_a_change_is_not_told_after_it()
    {
        var buffer = new WatchBuffer(static _ => true, catchesUp: true);
        Offer(buffer, ChangeType.Changed);
        Offer(buffer, ChangeType.Progressed, 0.5);
        Offer(buffer, ChangeType.Changed);

        Assert.True(buffer.TakeBehind());
        Assert.Equal((0, true), (buffer.Take(after: 2, max: 10).Events.Count, buffer.Take(after: 2, max: 10).Emptied));
    }

    [Fact]
    public void A_change_that_is_not_watched_leaves_nobody_behind()
    {
        var buffer = new WatchBuffer(static _ => false, catchesUp: true);
        Offer(buffer, ChangeType.Changed);
        Assert.False(buffer.TakeBehind());
    }

    private void Offer(ChangeType type, double? fraction = null) => Offer(_buffer, type, fraction);

    private static void Offer(WatchBuffer buffer, ChangeType type, double? fraction = null)
    {
        TaskProgress? progress = fraction is { } value ? new TaskProgress(value, "", DateTimeOffset.UnixEpoch) : null;
        buffer.Offer(new TaskChange(type, Running with { Progress = progress }, Running.Revision));
    }
}
