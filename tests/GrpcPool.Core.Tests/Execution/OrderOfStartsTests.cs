using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class OrderOfStartsTests
{
    [Fact(Timeout = TimeoutMs)]
    public async Task Higher_priorities_start_first_and_equals_in_the_order_they_became_due()
    {
        await using TestPool pool = await StartWithOneSlotAsync();
        TestRun first = await pool.RunAsync("first");
        await pool.SubmitAsync("low", Spec with { Priority = -1 });
        await pool.SubmitAsync("later", runAt: pool.Now.AddSeconds(5));
        await pool.SubmitAsync("sooner", runAt: pool.Now.AddSeconds(1));
        await pool.SubmitAsync("middle");
        await pool.SubmitAsync("high", Spec with { Priority = 1 });
        pool.Time.Advance(TimeSpan.FromSeconds(5));
        await pool.WhenAllAsync(["later", "sooner"], TaskState.Queued);
        await pool.SettleAsync();
        pool.Handler.SucceedAtOnce();
        first.Succeed();
        await pool.WhenAsync("low", TaskState.Succeeded);

        Assert.Equal(["first", "high", "middle", "sooner", "later", "low"], pool.Store.Starts);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task More_tasks_than_a_window_holds_start_in_exact_order()
    {
        const int Count = 3 * 1024 + 100;
        await using TestPool pool = await StartWithOneSlotAsync();
        TestRun first = await pool.RunAsync("first");
        var random = new Random(1);
        (string Id, int Priority)[] tasks = [.. Enumerable.Range(0, Count).Select(i => ($"t{i}", random.Next(-3, 4)))];
        foreach ((string Id, int Priority)[] part in tasks.Chunk(700))
        {
            await pool.SubmitAsync([.. part.Select(task => New(task.Id, Spec with { Priority = task.Priority }))]);
            pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        foreach ((string id, _) in tasks.Where((_, i) => i % 10 == 0))
            await pool.CancelAsync(id);
        pool.Handler.SucceedAtOnce();
        first.Succeed();
        string[] expected = [.. tasks.Where((_, i) => i % 10 != 0).OrderByDescending(task => task.Priority).Select(task => task.Id)];
        await pool.WhenAsync(expected[^1], TaskState.Succeeded);

        Assert.Equal(expected, pool.Store.Starts.Skip(1));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Queues_share_the_starts_by_their_weights()
    {
        await using TestPool pool = await StartAsync(options =>
        {
            options.Pool.Slots = 1;
            options.Queues["heavy"] = new QueueOptions { Weight = 3 };
            options.Queues["light"] = new QueueOptions { Weight = 1 };
        });
        TestRun first = await pool.RunAsync("first");
        await pool.SubmitAsync([.. Enumerable.Range(0, 300).Select(i => New($"light{i}", Spec with { Queue = "light" }))]);
        await pool.SubmitAsync([.. Enumerable.Range(0, 300).Select(i => New($"heavy{i}", Spec with { Queue = "heavy" }))]);
        pool.Handler.SucceedAtOnce();
        first.Succeed();
        await pool.WhenAsync("light299", TaskState.Succeeded);

        Assert.InRange(pool.Store.Starts.Skip(1).Take(200).Count(id => id.StartsWith("heavy", StringComparison.Ordinal)), 149, 151);
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData(1, 100)]
    [InlineData(3, 150)]
    public async Task Namespaces_share_the_starts_by_their_weights_however_many_queues_each_has(int weight, int startsOfOne)
    {
        await using TestPool pool = await StartAsync(options =>
        {
            options.Pool.Slots = 1;
            options.Namespaces["one"] = new NamespaceOptions { Weight = weight };
        });
        TestRun first = await pool.RunAsync("first");
        await pool.SubmitAsync([.. Enumerable.Range(0, 300).Select(i => New($"many{i}", Spec with { Queue = $"q{i % 10}" }, @namespace: "many"))]);
        await pool.SubmitAsync([.. Enumerable.Range(0, 300).Select(i => New($"one{i}", Spec with { Queue = "q" }, @namespace: "one"))]);
        pool.Handler.SucceedAtOnce();
        first.Succeed();
        await pool.WhenAllAsync(["many299", "one299"], TaskState.Succeeded);

        string[] starts = [.. pool.Store.Starts.Skip(1).Take(200)];
        Assert.InRange(starts.Count(static id => id.StartsWith("one", StringComparison.Ordinal)), startsOfOne - 1, startsOfOne + 1);

        // What is left of it, its queues share as ever.
        int[] queues = [.. starts.Where(static id => id.StartsWith("many", StringComparison.Ordinal)).GroupBy(static id => id[^1]).Select(static queue => queue.Count())];
        Assert.Equal(10, queues.Length);
        Assert.InRange(queues.Max() - queues.Min(), 0, 1);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_namespace_that_was_idle_gains_nothing_by_it()
    {
        await using TestPool pool = await StartWithOneSlotAsync();
        pool.Handler.SucceedAtOnce();
        await pool.SubmitAsync([.. Enumerable.Range(0, 100).Select(i => New($"warm{i}", @namespace: "busy"))]);
        await pool.WhenAsync("warm99", TaskState.Succeeded);
        await pool.SettleAsync();
        pool.Handler.Behave(static async run =>
        {
            if (run.Context.TaskId == "gate")
                await run.Stopped;
            return TaskOutcome.Succeeded();
        });
        await pool.SubmitAsync(New("gate", @namespace: "busy"));
        await pool.WhenAsync("gate", TaskState.Running);
        await pool.SubmitAsync([.. Enumerable.Range(0, 20).Select(i => New($"busy{i}", @namespace: "busy"))]);
        await pool.SubmitAsync([.. Enumerable.Range(0, 20).Select(i => New($"idle{i}", @namespace: "idle"))]);
        await pool.Pool.CancelAsync(Id("gate", "busy"), "enough", "me", TimeSpan.FromSeconds(10));
        await pool.WhenAllAsync(["idle19", "busy19"], TaskState.Succeeded);

        string[] firstTen = [.. pool.Store.Starts.SkipWhile(id => id != "gate").Skip(1).Take(10)];
        Assert.InRange(firstTen.Count(id => id.StartsWith("busy", StringComparison.Ordinal)), 4, 6);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_flood_on_one_queue_delays_the_first_start_of_another_by_at_most_the_slots()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Slots = 4);
        pool.Handler.Behave(static async _ =>
        {
            await Task.Yield();
            return TaskOutcome.Succeeded();
        });
        string[] flood = [.. Enumerable.Range(0, 5000).Select(i => $"f{i}")];
        Task flooding = pool.SubmitAsync([.. flood.Select(id => New(id, Spec with { Queue = "flood" }))]);
        await pool.WhenAsync("f200", TaskState.Running);
        await pool.SubmitAsync("other", Spec with { Queue = "other" });
        await pool.WhenAsync("other", TaskState.Running);
        await flooding;

        var after = pool.Store.Changes.SkipWhile(change => change.Task.Id.Value != "other").ToList();
        int starts = after.TakeWhile(change => change.Task.Id.Value != "other" || change.Task.State != TaskState.Running).Count(ObservedStore.IsStart);
        Assert.InRange(starts, 0, 4);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_queue_that_was_idle_gains_nothing_by_it()
    {
        await using TestPool pool = await StartWithOneSlotAsync();
        pool.Handler.SucceedAtOnce();
        await pool.SubmitAsync([.. Enumerable.Range(0, 100).Select(i => New($"warm{i}", Spec with { Queue = "busy" }))]);
        await pool.WhenAsync("warm99", TaskState.Succeeded);
        await pool.SettleAsync();
        pool.Handler.Behave(static async run =>
        {
            if (run.Context.TaskId == "gate")
                await run.Stopped;
            return TaskOutcome.Succeeded();
        });
        await pool.SubmitAsync("gate");
        await pool.WhenAsync("gate", TaskState.Running);
        await pool.SubmitAsync([.. Enumerable.Range(0, 20).Select(i => New($"busy{i}", Spec with { Queue = "busy" }))]);
        await pool.SubmitAsync([.. Enumerable.Range(0, 20).Select(i => New($"idle{i}", Spec with { Queue = "idle" }))]);
        await pool.CancelAsync("gate");
        await pool.WhenAsync("idle19", TaskState.Succeeded);

        string[] firstTen = [.. pool.Store.Starts.SkipWhile(id => id != "gate").Skip(1).Take(10)];
        Assert.InRange(firstTen.Count(id => id.StartsWith("busy", StringComparison.Ordinal)), 4, 6);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Tasks_of_a_kind_that_nobody_runs_are_in_nobodys_way()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync([.. Enumerable.Range(0, 3000).Select(i => New($"n{i}", Spec with { Kind = NobodysKind, Priority = 100 }))]);
        await pool.RunAsync("behind");

        Assert.Equal(["behind"], pool.Store.Starts);
    }

    private static Task<TestPool> StartWithOneSlotAsync() => StartAsync(options => options.Pool.Slots = 1);
}
