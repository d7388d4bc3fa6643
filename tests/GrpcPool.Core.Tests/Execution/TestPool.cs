using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Administration;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Execution;

/// <summary>A pool over the memory store, with the clock and the handlers in the test's hands.</summary>
internal sealed class TestPool : IAsyncDisposable
{
    /// <summary>How long a test may take; none comes near it.</summary>
    public const int TimeoutMs = 30_000;

    public const string Kind = "work";

    /// <summary>Another kind that the same handler runs.</summary>
    public const string OtherKind = "other-work";

    /// <summary>A kind that nobody runs.</summary>
    public const string NobodysKind = "nobodys";

    public static readonly TaskSpec Spec = new() { Kind = Kind, Queue = "default", Retention = TimeSpan.FromDays(1) };

    /// <summary>A task whose handler does not heed that it is told to stop.</summary>
    public static readonly TaskSpec Stubborn = Spec with { Labels = new Dictionary<string, string> { [TestRun.IgnoresStopLabel] = "yes" } };

    private readonly ErrorLog _log = new();

    private TestPool(Action<GrpcPoolOptions>? configure, TimeSpan? kindRunTimeout, MemoryGuard? memory)
    {
        configure?.Invoke(Options);
        Store = new ObservedStore(Options.HistoryMax);
        Handler = new TestHandler(Time);
        var entry = new HandlerEntry(Handler, kindRunTimeout, TimeSpan.FromSeconds(10));
        var handlers = new HandlerRegistry([new(Kind, entry), new(OtherKind, entry)]);
        Pool = new TaskPool(Options, Store, handlers, Time, _log, memory);
    }

    public GrpcPoolOptions Options { get; } = new() { Pool = { Slots = 16 } };

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public DateTimeOffset Now => Time.GetUtcNow();

    public ObservedStore Store { get; }

    public TestHandler Handler { get; }

    public TaskPool Pool { get; }

    /// <summary>The operator's hands.</summary>
    public PoolAdmin Admin => new(Pool, Audit);

    /// <summary>What the log is told of an operator's changes.</summary>
    public AuditRecord Audit { get; } = new();

    public bool ErrorsExpected { get; set; }

    public static async Task<TestPool> StartAsync(Action<GrpcPoolOptions>? configure = null, TimeSpan? kindRunTimeout = null, MemoryGuard? memory = null)
    {
        var pool = new TestPool(configure, kindRunTimeout, memory);
        await pool.Pool.StartAsync(TestContext.Current.CancellationToken);
        await pool.SettleAsync(); // What it commits of itself at its start is none of the test's commits.
        return pool;
    }

    public static TaskId Id(string id, string @namespace = "default") => new(@namespace, id);

    public static NewTask New(string id, TaskSpec? spec = null, DateTimeOffset? runAt = null, byte hash = 1, string @namespace = "default") =>
        new(Id(id, @namespace), spec ?? Spec) { RunAt = runAt, SpecHash = [hash], SubmittedBy = "me" };

    public Task<SubmitResult> SubmitAsync(string id, TaskSpec? spec = null, DateTimeOffset? runAt = null, byte hash = 1) => SubmitAsync(New(id, spec, runAt, hash));

    public Task<SubmitResult> SubmitAsync(NewTask task) => Pool.SubmitAsync(task, TestContext.Current.CancellationToken);

    public Task<SubmitResult[]> SubmitAsync(IReadOnlyList<NewTask> tasks, bool atomic = false, WhenFull whenFull = WhenFull.Refuse) =>
        Pool.SubmitAsync(tasks, atomic, whenFull, TestContext.Current.CancellationToken);

    /// <summary>Submits a task and waits until its handler runs.</summary>
    public async Task<TestRun> RunAsync(string id, TaskSpec? spec = null)
    {
        await SubmitAsync(id, spec);
        return await Handler.StartedAsync(id);
    }

    public async Task<TaskRecord> FindAsync(string id) => (await Pool.FindAsync(Id(id)))!;

    public async Task<TaskState> StateOfAsync(string id) => (await FindAsync(id)).State;

    public async Task<WaitingReason?> ReasonOfAsync(string id)
    {
        await SettleAsync();
        return Pool.View(await FindAsync(id)).WaitingReason;
    }

    /// <summary>The task as it was when it first came to a state, after a version.</summary>
    public async Task<TaskRecord> WhenAsync(string id, TaskState state, long after = 0)
    {
        Task<TaskChange> change = Store.WhenAsync(change => change.Task.Id.Value == id && change.Task.State == state && change.Task.Version > after);
        return (await change.WaitAsync(TestContext.Current.CancellationToken)).Task;
    }

    public Task WhenAllAsync(IEnumerable<string> ids, TaskState state)
    {
        var missing = ids.ToHashSet();
        Task<TaskChange> last = Store.WhenAsync(change => change.Task.State == state && missing.Remove(change.Task.Id.Value) && missing.Count == 0);
        return last.WaitAsync(TestContext.Current.CancellationToken);
    }

    public Task<CommandOutcome> CancelAsync(string id, TimeSpan? forceAfter = null) => Pool.CancelAsync(Id(id), "enough", "me", forceAfter ?? TimeSpan.FromSeconds(10));

    /// <summary>Has a command committed that nobody can ask for from outside.</summary>
    public Task CommitAsync(TaskCommand command) => Pool.Committer.CommitAsync(command);

    /// <summary>Ends when everything asked for so far has been committed and its consequences started.</summary>
    public async Task SettleAsync()
    {
        for (int i = 0; i < 3; i++)
            await Pool.DeleteAsync(Id("no-such-task"));
    }

    /// <summary>Lets time pass, step by step, until something has happened.</summary>
    public async Task AdvanceUntilAsync(Task happened, TimeSpan? step = null)
    {
        while (!happened.IsCompleted)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            Time.Advance(step ?? TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        await happened;
    }

    public async ValueTask DisposeAsync()
    {
        Store.Release();
        Handler.LetGo();
        await AdvanceUntilAsync(Pool.DisposeAsync().AsTask());
        if (!ErrorsExpected)
            Assert.Empty(_log.Errors);
    }
}
