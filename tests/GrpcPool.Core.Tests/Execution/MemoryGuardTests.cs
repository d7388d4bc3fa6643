using GrpcPool.Core.Execution;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Execution;

public sealed class MemoryGuardTests : IDisposable
{
    private const int Memory = 1 << 30;

    private readonly FakeTimeProvider _time = new();
    private readonly MemoryGuard _guard;
    private double _used;
    private double _garbage;
    private int _collections;

    public MemoryGuardTests()
    {
        _guard = Guard(0.85);
        _guard.Start();
    }

    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task New_work_is_refused_while_memory_is_short_and_taken_again_afterwards()
    {
        await using TestPool pool = await TestPool.StartAsync(memory: _guard);
        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("before")).Verdict);
        Look(used: 0.9);
        Assert.Equal(SubmitVerdict.MemoryShort, (await pool.SubmitAsync("during")).Verdict);
        Look(used: 0.82);
        Assert.Equal(SubmitVerdict.MemoryShort, (await pool.SubmitAsync("on the edge")).Verdict);
        Look(used: 0.79);
        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("after")).Verdict);
    }

    /// <summary>Of a gibibyte 35 % are left at the first look, which is room for 90 tasks of 4 MiB.</summary>
    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task Work_that_fills_the_memory_between_two_looks_is_refused_too()
    {
        _used = 0.5;
        using MemoryGuard guard = Guard(0.85);
        guard.Start();
        await using TestPool pool = await TestPool.StartAsync(memory: guard);
        TaskSpec large = TestPool.Spec with { Payload = new byte[4 << 20] };
        int taken = 0;
        while (taken < 1000 && (await pool.SubmitAsync($"{taken}", large, runAt: DateTimeOffset.MaxValue)).Verdict == SubmitVerdict.Created)
            _used = 0.5 + (++taken * large.Payload.Length / (double)Memory);
        Assert.InRange(taken, 85, 91);
    }

    [Fact(Timeout = TestPool.TimeoutMs)]
    public async Task What_runs_ends_while_memory_is_short()
    {
        await using TestPool pool = await TestPool.StartAsync(memory: _guard);
        TestRun run = await pool.RunAsync("runs");
        Look(used: 0.99);
        run.Succeed();
        await pool.WhenAsync("runs", TaskState.Succeeded);
    }

    [Fact]
    public void Garbage_is_collected_before_anything_is_refused()
    {
        _garbage = 0.4;
        Look(used: 0.5);
        Assert.Equal((1, false), (_collections, _guard.IsShort));
    }

    [Fact]
    public void Garbage_that_nobody_else_collects_refuses_nothing_for_long()
    {
        Look(used: 0.9);
        Assert.True(_guard.IsShort);
        (_used, _garbage) = (0.3, 0.6);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(_guard.IsShort);
    }

    [Fact]
    public void Collections_that_do_not_help_become_rare()
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(10); passed += TimeSpan.FromMilliseconds(100))
            Look(used: 0.95);
        Assert.InRange(_collections, 30, 70);
    }

    [Fact]
    public void One_is_never_short()
    {
        using MemoryGuard off = Guard(1);
        off.Start();
        Look(used: 2);
        Assert.False(off.IsShort);
    }

    public void Dispose() => _guard.Dispose();

    private MemoryGuard Guard(double limit) => new(limit, Memory, () => _used + _garbage, Collect, _time, NullLogger.Instance);

    private void Collect()
    {
        _collections++;
        _garbage = 0;
    }

    private void Look(double used)
    {
        _used = used;
        _time.Advance(TimeSpan.FromMilliseconds(100));
    }
}
