using System.Collections.Concurrent;
using CsCheck;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Execution;

/// <summary>Whatever many callers do at once, the bounds hold.</summary>
public sealed class PoolPropertyTests
{
    private const int Slots = 5;
    private const int Capacity = 40;
    private const int NarrowLimit = 2;

    private static readonly Gen<Wish> Wishes = Gen.Select(
        Gen.Int[0, 9], Gen.Int[0, 79], Gen.Int[0, 3], Gen.Int[1, 3], Gen.Bool,
        static (verb, id, key, slots, narrow) => new Wish(verb, $"t{id}", key == 0 ? "" : $"k{key}", slots, narrow ? "narrow" : "default"));

    private static readonly Gen<Wish[][]> Callers = Wishes.Array[20, 60].Array[4];

    [Fact(Timeout = TimeoutMs)]
    public Task Under_concurrent_wishes_all_bounds_hold_and_the_counters_are_right() =>
        Callers.SampleAsync(CheckAsync, iter: 60, threads: 1);

    private static async Task CheckAsync(Wish[][] callers)
    {
        TestPool pool = await StartAsync(options =>
        {
            options.Pool.Slots = Slots;
            options.Pool.Capacity = Capacity;
            options.Queues["narrow"] = new QueueOptions { Limit = NarrowLimit, WhenFull = FullPolicy.DiscardOldest, Capacity = 20 };
        });
        var busyKeys = new ConcurrentDictionary<string, bool>();
        var violations = new ConcurrentQueue<string>();
        pool.Handler.Behave(async run =>
        {
            string key = run.Context.Labels["key"];
            if (key.Length > 0 && !busyKeys.TryAdd(key, true))
                violations.Enqueue($"two of key {key} run");
            await Task.Yield();
            if (key.Length > 0)
                busyKeys.TryRemove(key, out _);
            return run.Context.TaskId.EndsWith('7') ? TaskOutcome.Failed(new Failure(FailureCode.HandlerError, "7", retryable: true)) : TaskOutcome.Succeeded();
        });
        await Task.WhenAll(callers.Select(wishes => Task.Run(async () =>
        {
            foreach (Wish wish in wishes)
                await DoAsync(pool, wish);
        })));
        await EverythingEndsAsync(pool);

        Assert.Empty(violations);
        CheckBounds(pool.Store.Changes);
        await CheckCountersAsync(pool);
        await pool.DisposeAsync();
    }

    private static Task DoAsync(TestPool pool, Wish wish) => wish.Verb switch
    {
        0 => pool.CancelAsync(wish.Id, TimeSpan.Zero),
        1 => pool.Pool.RetryAsync(Id(wish.Id)),
        2 => pool.Pool.DeleteAsync(Id(wish.Id)),
        3 => pool.SubmitAsync([New(wish.Id + "a", wish.ToSpec()), New(wish.Id + "b", wish.ToSpec())], atomic: true),
        4 => pool.SubmitAsync(wish.Id, wish.ToSpec(), pool.Now.AddSeconds(wish.Slots)),
        _ => pool.SubmitAsync(wish.Id, wish.ToSpec()),
    };

    private static async Task EverythingEndsAsync(TestPool pool)
    {
        TaskFilter open = new("default") { States = [TaskState.Scheduled, TaskState.Queued, TaskState.Running, TaskState.Retrying] };
        while ((await pool.Store.ScanAsync(new TaskScan(open, null, NewestFirst: false, 1000))).Tasks.Count > 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            pool.Time.Advance(TimeSpan.FromSeconds(1));
            await pool.SettleAsync();
        }
    }

    private static void CheckBounds(IEnumerable<TaskChange> changes)
    {
        int running = 0, runningNarrow = 0;
        var submitted = new HashSet<long>();
        bool takesAPlaceOfThese = false;
        foreach (TaskChange change in changes)
        {
            bool runs = change.Type == ChangeType.Changed && change.Task.State == TaskState.Running;
            int slots = change.Task.Spec.Slots * ((runs ? 1 : 0) - (change.Before == TaskState.Running ? 1 : 0));
            running += slots;
            runningNarrow += change.Task.Spec.Queue == "narrow" ? slots : 0;
            bool waits = change.Type == ChangeType.Changed && change.Task.State.IsWaiting();
            bool cameBack = waits && change.Before is { } before && !before.IsWaiting();
            if (waits && change.Before is null && !takesAPlaceOfThese)
                submitted.Add(change.Task.Sequence);
            bool counted = submitted.Contains(change.Task.Sequence);
            if (!waits || cameBack)
                submitted.Remove(change.Task.Sequence);
            Assert.InRange(running, 0, Slots);
            Assert.InRange(runningNarrow, 0, NarrowLimit);

            // Those that come back (retries) are never refused, and may do so in the very commit in which a newcomer was given the last place.
            Assert.InRange(submitted.Count, 0, Capacity);

            // Whoever displaces one of them, by the next change, takes such a place.
            takesAPlaceOfThese = !counted && change.Task.State == TaskState.Cancelled && change.Task.Cancellation!.Reason == "displaced";
        }
    }

    private static async Task CheckCountersAsync(TestPool pool)
    {
        TaskPage all = await pool.Store.ScanAsync(new TaskScan(new TaskFilter("default"), null, NewestFirst: false, 1000));
        var scanned = all.Tasks.GroupBy(task => (Lane.Of(task), task.State)).Select(group => (group.Key.Item1, group.Key.State, (long)group.Count()));
        Assert.Equal(scanned.ToHashSet(), pool.Pool.TryCount(new TaskFilter("default"))!.ToHashSet());
    }

    private sealed record Wish(int Verb, string Id, string Key, int Slots, string Queue)
    {
        public TaskSpec ToSpec() => TestPool.Spec with
        {
            Queue = Queue,
            SerialKey = Key,
            Slots = Queue == "narrow" ? Math.Min(Slots, NarrowLimit) : Slots,
            Labels = new Dictionary<string, string> { ["key"] = Key },
            Retry = new RetryPolicy { MaxAttempts = 2, InitialBackoff = TimeSpan.FromSeconds(1) },
        };
    }
}
