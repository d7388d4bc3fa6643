using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Testing;

/// <summary>Tasks for tests: everything has a default, and a test says by <c>with</c> what matters to it.</summary>
internal static class Given
{
    public const string Namespace = "default";

    /// <summary>When a test begins.</summary>
    public static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>One attempt, kept for an hour.</summary>
    public static readonly TaskSpec Spec = new() { Kind = "echo", Queue = "default", Retention = TimeSpan.FromHours(1) };

    /// <summary>Three attempts with pauses of exactly 1, 2, 4 … seconds.</summary>
    public static readonly RetryPolicy ThreeAttempts = new() { MaxAttempts = 3, Jitter = 0 };

    public static readonly AttemptEnding Success = new AttemptEnding.Succeeded(new byte[] { 1, 2, 3 }, "text/plain");

    public static readonly AttemptEnding RetryableFailure = new AttemptEnding.Failed(new Failure(FailureCode.HandlerError, "try again", retryable: true), 0.5);

    public static readonly AttemptEnding RateLimited =
        new AttemptEnding.Failed(new Failure(FailureCode.HandlerError, "not so fast", retryable: true), 0.5) { RetryAfter = TimeSpan.FromSeconds(3) };

    public static readonly AttemptEnding FinalFailure = new AttemptEnding.Failed(new Failure(FailureCode.InvalidPayload, "never mind", retryable: false), 0.5);

    public static readonly AttemptEnding Loss = new AttemptEnding.Lost();

    public static readonly AttemptEnding ReleasedUnrun = new AttemptEnding.Released(HandlerBegan: false);

    public static readonly AttemptEnding ReleasedAfterItBegan = new AttemptEnding.Released(HandlerBegan: true);

    /// <summary>The lane of tasks made from <see cref="Spec"/>.</summary>
    public static Lane Lane => new(Namespace, Spec.Queue, Spec.Kind);

    public static TaskId Id(string value) => new(Namespace, value);

    /// <summary>A task that is due at once, with a hash as if its client had given the id.</summary>
    public static NewTask Task(string id, TaskSpec? spec = null) => new(Id(id), spec ?? Spec) { SpecHash = [1] };

    /// <summary>A task that stands in the line of a serial key.</summary>
    public static NewTask Serial(string id, string key = "key") => Task(id, Spec with { SerialKey = key, Retry = ThreeAttempts });

    public static InsertTasks Insert(params NewTask[] tasks) => Insert(InsertMode.Plain, tasks);

    public static InsertTasks Insert(InsertMode mode, params NewTask[] tasks) => new([.. tasks.Select(task => new Insertion(task, mode))]);

    public static InsertTasks InsertAtomic(params NewTask[] tasks) => Insert(tasks) with { Atomic = true };

    public static CancelTask Cancel(string id) => new(Id(id), "no longer wanted", "tester");
}
