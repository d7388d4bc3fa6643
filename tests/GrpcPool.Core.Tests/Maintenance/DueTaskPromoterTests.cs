using GrpcPool.Core.Maintenance;
using GrpcPool.Core.Storage;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Maintenance;

public sealed class DueTaskPromoterTests
{
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(2);

    [Fact]
    public void Timer_that_is_early_is_set_again()
    {
        var time = new EarlyTimers();
        int looks = 0;
        using var promoter = new DueTaskPromoter(time, () => looks++);
        promoter.Note(time.GetUtcNow() + TimeSpan.FromMilliseconds(100));

        time.Advance(TimeSpan.FromMilliseconds(100) - Early);
        Assert.Equal(1, looks);
        Assert.Null(promoter.Next(time.GetUtcNow()));

        time.Advance(Early);
        Assert.Equal(2, looks);
        Assert.IsType<WakeTasks>(promoter.Next(time.GetUtcNow()));
    }

    /// <summary>Timers as those of a real clock may be: a little early.</summary>
    private sealed class EarlyTimers : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new EarlyTimer(base.CreateTimer(callback, state, dueTime, period));
    }

    private sealed class EarlyTimer(ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime > Early ? dueTime - Early : dueTime, period);

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
