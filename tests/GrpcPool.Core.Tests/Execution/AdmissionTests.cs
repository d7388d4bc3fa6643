using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

public sealed class AdmissionTests
{
    private static readonly TaskSpec Waiting = Spec with { Kind = NobodysKind };

    [Fact(Timeout = TimeoutMs)]
    public async Task A_full_queue_refuses_the_next_task_and_another_queue_does_not()
    {
        await using TestPool pool = await StartWithCapacityAsync(100);
        SubmitResult[] fit = await pool.SubmitAsync(Many(100));
        Assert.All(fit, result => Assert.Equal(SubmitVerdict.Created, result.Verdict));

        Assert.Equal(SubmitVerdict.QueueFull, (await pool.SubmitAsync("t100", Waiting)).Verdict);
        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("elsewhere", Waiting with { Queue = "other" })).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Scheduled_and_retrying_tasks_take_places_and_running_ones_do_not()
    {
        await using TestPool pool = await StartWithCapacityAsync(2);
        await pool.SubmitAsync("scheduled", runAt: pool.Now.AddDays(1));
        TestRun run = await pool.RunAsync("retrying", Spec with { Retry = new RetryPolicy { MaxAttempts = 2 } });
        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("third", Waiting)).Verdict);
        run.Fail();
        await pool.WhenAsync("retrying", TaskState.Retrying);
        await pool.SettleAsync();
        await pool.CancelAsync("third");

        Assert.Equal(SubmitVerdict.QueueFull, (await pool.SubmitAsync("fourth", Waiting)).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_whole_pools_capacity_bounds_all_queues_together()
    {
        await using TestPool pool = await StartAsync(options => options.Pool.Capacity = 3);
        for (int i = 0; i < 3; i++)
            Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync($"t{i}", Waiting with { Queue = $"q{i}" })).Verdict);

        Assert.Equal(SubmitVerdict.PoolFull, (await pool.SubmitAsync("one-more", Waiting with { Queue = "q3" })).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_known_id_needs_no_room()
    {
        await using TestPool pool = await StartWithCapacityAsync(1);
        await pool.SubmitAsync("same", Waiting);

        SubmitResult again = await pool.SubmitAsync("same", Waiting);
        Assert.Equal((SubmitVerdict.Existing, "same"), (again.Verdict, again.Task!.Id.Value));
        Assert.Equal(SubmitVerdict.Conflict, (await pool.SubmitAsync("same", Waiting, hash: 2)).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_thousand_equal_submissions_make_one_task()
    {
        await using TestPool pool = await StartWithCapacityAsync(1);
        SubmitResult[] results = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(() => pool.SubmitAsync("same", Waiting))));

        Assert.Single(results, result => result.Verdict == SubmitVerdict.Created);
        Assert.Equal(999, results.Count(result => result.Verdict == SubmitVerdict.Existing));
        Assert.Single(pool.Store.Changes);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Discard_oldest_cancels_the_oldest_never_started_task_of_no_higher_priority()
    {
        await using TestPool pool = await StartWithCapacityAsync(3, FullPolicy.DiscardOldest);
        await pool.SubmitAsync("important", Waiting with { Priority = 5 });
        await pool.SubmitAsync("older", Waiting);
        await pool.SubmitAsync("younger", Waiting with { Priority = -5 });
        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("newcomer", Waiting)).Verdict);

        TaskRecord displaced = await pool.FindAsync("older");
        Assert.Equal((TaskState.Cancelled, "displaced"), (displaced.State, displaced.Cancellation!.Reason));
        Assert.Equal(SubmitVerdict.QueueFull, (await pool.SubmitAsync("unimportant", Waiting with { Priority = -6 })).Verdict);
        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("important"));
        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("younger"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_duplicate_displaces_nothing()
    {
        await using TestPool pool = await StartWithCapacityAsync(2, FullPolicy.DiscardOldest);
        await pool.SubmitAsync("oldest", Waiting);
        await pool.SubmitAsync("same", Waiting);

        Assert.Equal(SubmitVerdict.Existing, (await pool.SubmitAsync("same", Waiting)).Verdict);
        Assert.Equal(TaskState.Queued, await pool.StateOfAsync("oldest"));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Where_nothing_can_be_displaced_the_newcomer_is_refused()
    {
        await using TestPool pool = await StartWithCapacityAsync(1, FullPolicy.DiscardOldest);
        await pool.SubmitAsync("scheduled", runAt: pool.Now.AddDays(1));

        Assert.Equal(SubmitVerdict.QueueFull, (await pool.SubmitAsync("newcomer", Waiting)).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_batch_over_capacity_is_refused_item_by_item_whatever_the_policy()
    {
        foreach (FullPolicy policy in Enum.GetValues<FullPolicy>())
        {
            await using TestPool pool = await StartWithCapacityAsync(10, policy);
            SubmitResult[] results = await pool.SubmitAsync([.. Many(12), New("t3", Waiting)]);
            SubmitVerdict[] expected = [.. Enumerable.Repeat(SubmitVerdict.Created, 10), SubmitVerdict.QueueFull, SubmitVerdict.QueueFull, SubmitVerdict.Existing];
            Assert.Equal(expected, results.Select(result => result.Verdict));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_atomic_batch_comes_in_as_a_whole_or_not_at_all()
    {
        await using TestPool pool = await StartWithCapacityAsync(10);
        Assert.All(await pool.SubmitAsync(Many(10), atomic: true), result => Assert.Equal(SubmitVerdict.Created, result.Verdict));
        await pool.CancelAsync("t9");
        SubmitResult[] refused = await pool.SubmitAsync([New("a", Waiting), New("b", Waiting)], atomic: true);

        Assert.Equal([SubmitVerdict.Aborted, SubmitVerdict.QueueFull], refused.Select(result => result.Verdict));
        Assert.Null(await pool.Pool.FindAsync(Id("a")));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_atomic_batch_larger_than_the_capacity_is_refused_at_once()
    {
        await using TestPool pool = await StartWithCapacityAsync(10);
        SubmitResult[] refused = await pool.SubmitAsync(Many(11), atomic: true);
        Assert.Contains(refused, result => result.Verdict == SubmitVerdict.QueueFull);
        Assert.Empty(pool.Store.Changes);

        await using TestPool small = await StartAsync(options => options.Pool.Capacity = 10);
        Assert.Contains(await small.SubmitAsync(Many(11), atomic: true), result => result.Verdict == SubmitVerdict.PoolFull);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_atomic_batch_with_a_conflict_comes_in_not_at_all()
    {
        await using TestPool pool = await StartAsync();
        await pool.SubmitAsync("taken", Waiting);
        SubmitResult[] refused = await pool.SubmitAsync([New("a", Waiting), New("taken", Waiting, hash: 2)], atomic: true);

        Assert.Equal([SubmitVerdict.Aborted, SubmitVerdict.Conflict], refused.Select(result => result.Verdict));
        Assert.Null(await pool.Pool.FindAsync(Id("a")));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task An_atomic_batch_that_is_known_already_needs_no_room()
    {
        await using TestPool pool = await StartWithCapacityAsync(10);
        await pool.SubmitAsync(Many(10), atomic: true);

        Assert.All(await pool.SubmitAsync(Many(10), atomic: true), result => Assert.Equal(SubmitVerdict.Existing, result.Verdict));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_batch_larger_than_one_commit_takes_comes_in_as_a_whole()
    {
        await using TestPool pool = await StartAsync();
        SubmitResult[] results = await pool.SubmitAsync(Many(10_000));

        Assert.All(results, result => Assert.Equal(SubmitVerdict.Created, result.Verdict));
        Assert.Equal(Many(10_000).Select(task => task.Id), results.Select(result => result.Task!.Id));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Only_so_many_queues_may_exist_even_if_they_come_at_once()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.Queues = 3);
        SubmitResult[] results = await pool.SubmitAsync([.. Enumerable.Range(0, 5).Select(i => New($"t{i}", Waiting with { Queue = $"q{i}" }))]);
        Assert.Equal(3, results.Count(result => result.Verdict == SubmitVerdict.Created));
        Assert.Equal(2, results.Count(result => result.Verdict == SubmitVerdict.TooManyQueues));

        Assert.Contains(
            await pool.SubmitAsync([New("x", Waiting with { Queue = "q7" })], atomic: true), result => result.Verdict == SubmitVerdict.TooManyQueues);
        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("fits", Waiting with { Queue = "q0" })).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_queue_whose_last_task_is_gone_makes_room_for_another()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.Queues = 1);
        await pool.SubmitAsync("a", Waiting with { Queue = "one" });
        await pool.CancelAsync("a");
        await pool.Pool.DeleteAsync(Id("a"));

        Assert.Equal(SubmitVerdict.Created, (await pool.SubmitAsync("b", Waiting with { Queue = "two" })).Verdict);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Only_so_many_namespaces_may_exist_even_if_they_come_at_once()
    {
        await using TestPool pool = await StartAsync(options => options.Limits.Namespaces = 2);
        SubmitResult[] results = await pool.SubmitAsync([.. Enumerable.Range(0, 4).Select(i => New("same", Waiting, @namespace: $"n{i % 3}", hash: (byte)(i % 3)))]);

        Assert.Equal(
            [SubmitVerdict.Created, SubmitVerdict.Created, SubmitVerdict.TooManyNamespaces, SubmitVerdict.Existing], results.Select(result => result.Verdict));
    }

    /// <summary>Who waits outside until there are slots is written once instead of twice, and need not be looked for.</summary>
    [Fact(Timeout = TimeoutMs)]
    public async Task While_attempts_end_a_commit_lets_in_few_who_have_to_wait()
    {
        const int Slots = 4, AtOnce = 2048, ToWait = 256;
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = Slots);
        pool.Handler.SucceedAtOnce();
        SubmitResult[] results = await pool.SubmitAsync([.. Enumerable.Range(0, 6 * AtOnce).Select(static i => New($"t{i}"))]);

        Assert.All(results, static result => Assert.Equal(SubmitVerdict.Created, result.Verdict));
        Assert.All(pool.Store.Commits, static commit => Assert.InRange(Inserted(commit), 0, AtOnce));
        IReadOnlyList<TaskChange>[] ending = [.. pool.Store.Commits.Where(static commit => commit.Any(static change => change.Task.State.IsFinal()))];
        Assert.InRange(ending.Max(Inserted), ToWait - (2 * Slots), ToWait + Slots);

        static int Inserted(IReadOnlyList<TaskChange> commit) => commit.Count(static change => change.Before is null);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task While_attempts_end_all_who_can_start_are_let_in()
    {
        const int Slots = 1000;
        await using TestPool pool = await StartAsync(static options => options.Pool.Slots = Slots);
        pool.Handler.SucceedAtOnce();
        for (int i = 0; i < 5; i++)
        {
            string[] ids = [.. Enumerable.Range(0, Slots).Select(n => $"t{i}-{n}")];
            await pool.SubmitAsync([.. ids.Select(static id => New(id))]);
            await pool.WhenAllAsync(ids, TaskState.Succeeded);
            await pool.SettleAsync();
        }

        Assert.Equal(5 * Slots, pool.Store.Changes.Count(static change => change.Before is null && change.Task.State == TaskState.Running));
    }

    private static NewTask[] Many(int count) => [.. Enumerable.Range(0, count).Select(i => New($"t{i}", Waiting))];

    private static Task<TestPool> StartWithCapacityAsync(int capacity, FullPolicy policy = FullPolicy.Reject) => StartAsync(options =>
    {
        options.Queues["default"].Capacity = capacity;
        options.Queues["default"].WhenFull = policy;
    });
}
