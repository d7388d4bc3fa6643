using System.Collections.Concurrent;
using System.Threading.Channels;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;
using GrpcPool.Core.Workers;
using GrpcPool.Storage.Sqlite;
using GrpcPool.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Storage.Tests.Sqlite;

/// <summary>A pool over a database, in one process after the other. Its handlers run until the test lets them go.</summary>
internal sealed class RestartedPool : IAsyncDisposable
{
    /// <summary>A kind whose handler leaves its attempts running, as one does that hands them to an application.</summary>
    public const string LeftKind = "left";

    /// <summary>How long such an attempt may take.</summary>
    public static readonly TimeSpan LeftRunTimeout = TimeSpan.FromMinutes(5);

    private const int Slots = 2;

    private readonly DatabaseFolder _folder = new();
    private readonly List<TaskPool> _killed = [];
    private SqliteTaskStore _store;
    private TaskCompletionSource _go = new();
    private ConcurrentDictionary<string, TaskCompletionSource> _passing = new();

    private RestartedPool() => _store = _folder.Store();

    public FakeTimeProvider Time { get; } = new(Given.Now);

    /// <summary>The ids of the attempts that have begun, in order.</summary>
    public ConcurrentQueue<string> Begun { get; } = new();

    /// <summary>The leases of what was left running.</summary>
    public Channel<LeaseToken> Left { get; } = Channel.CreateUnbounded<LeaseToken>();

    public TaskPool Pool { get; private set; } = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<RestartedPool> StartAsync()
    {
        var pool = new RestartedPool();
        await pool.OpenAsync();
        return pool;
    }

    /// <summary>Leaves everything as a process does that is killed, and goes on in the next one.</summary>
    public async Task CrashAsync()
    {
        _killed.Add(Pool);
        _store = _folder.Crash(_store);
        await OpenAsync();
    }

    /// <summary>Shuts down in good order, and goes on in the next process.</summary>
    public async Task RestartAsync()
    {
        await DrainAsync(Pool);
        _store = _folder.Restart(_store);
        await OpenAsync();
    }

    /// <summary>Submits tasks that are kept for longer than a test lets pass.</summary>
    public async Task SubmitAsync(params NewTask[] tasks) =>
        Assert.All(await Pool.SubmitAsync([.. tasks.Select(static task => task with { Spec = task.Spec with { Retention = TimeSpan.FromDays(365) } })], atomic: false, WhenFull.Refuse, Stop), static result => Assert.Equal(SubmitVerdict.Created, result.Verdict));

    public async Task<TaskRecord> FindAsync(string id) => (await Pool.FindAsync(Given.Id(id)))!;

    /// <summary>Lets the handlers of one task return, now and later in this process.</summary>
    public void Pass(string id) => Passing(id).TrySetResult();

    /// <summary>Ends when so many attempts have begun, over all processes.</summary>
    /// <param name="attempts">How many.</param>
    /// <param name="step">By what the time goes on meanwhile.</param>
    public async Task WhenBegunAsync(int attempts, TimeSpan step = default)
    {
        while (Begun.Count < attempts)
        {
            Stop.ThrowIfCancellationRequested();
            if (step > TimeSpan.Zero)
                Time.Advance(step);
            await Task.Yield();
        }
    }

    /// <summary>Lets all handlers, those to come too, return; waits for the end of a task.</summary>
    public async Task<TaskRecord> EndAsync(string id)
    {
        _go.TrySetResult();
        Task<TaskRecord?> end = Pool.WaitAsync(Given.Id(id), TimeSpan.FromDays(1), Stop);
        while (!end.IsCompleted)
        {
            Time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }

        return (await end)!;
    }

    /// <summary>What a watcher is told who resumes after a revision, as far as the next commit.</summary>
    public async Task<List<(string Id, TaskState State)>> ResumeAsync(long after)
    {
        using Watch watch = Pool.Watch(new WatchQuery { Filter = new TaskFilter(Given.Namespace), AfterRevision = after });
        await foreach (WatchBatch batch in watch.ReadAsync(Stop))
            return [.. batch.Events.Where(static told => told.Change is not null).Select(static told => (told.Change!.Task.Id.Value, told.Change.Task.State))];
        return [];
    }

    public async ValueTask DisposeAsync()
    {
        await DrainAsync(Pool);
        foreach (TaskPool killed in _killed)
            await DrainAsync(killed);
        _folder.Dispose();
    }

    private TaskCompletionSource Passing(string id) => _passing.GetOrAdd(id, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private async Task OpenAsync()
    {
        _passing = new();
        _go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = new GrpcPoolOptions { Pool = { Slots = Slots, DrainTimeout = TimeSpan.Zero } };
        var handlers = new HandlerRegistry(
        [
            new(Given.Spec.Kind, new HandlerEntry(new Handler(this), null, TimeSpan.Zero)),
            new(LeftKind, new HandlerEntry(new LeavingHandler(this), LeftRunTimeout, TimeSpan.Zero)),
        ]);
        Pool = new TaskPool(options, _store, handlers, Time, NullLogger<TaskPool>.Instance);
        await Pool.StartAsync(Stop);
    }

    private async Task DrainAsync(TaskPool pool)
    {
        Task drained = pool.DisposeAsync().AsTask();
        while (!drained.IsCompleted)
        {
            Time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await drained;
    }

    private sealed class LeavingHandler(RestartedPool pool) : ITaskHandler
    {
        public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
        {
            await pool.Left.Writer.WriteAsync(context.Lease, stopping);
            return await context.LeaveRunningAsync(stopping);
        }
    }

    private sealed class Handler(RestartedPool pool) : ITaskHandler
    {
        public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
        {
            var go = Task.WhenAny(pool._go.Task, pool.Passing(context.TaskId).Task);
            pool.Begun.Enqueue(context.TaskId);
            await go.WaitAsync(stopping);
            return TaskOutcome.Succeeded(context.Payload);
        }
    }
}
