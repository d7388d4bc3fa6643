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

    private void Offer(ChangeType type, double? fraction = null)
    {
        TaskProgress? progress = fraction is { } value ? new TaskProgress(value, "", DateTimeOffset.UnixEpoch) : null;
        _buffer.Offer(new TaskChange(type, Running with { Progress = progress }, Running.Revision));
    }
}
