using System.Collections.Concurrent;
using System.Threading.Channels;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Tests.Execution;

/// <summary>A handler whose every attempt is in the hands of the test.</summary>
internal sealed class TestHandler(TimeProvider time) : ITaskHandler
{
    private readonly ConcurrentDictionary<string, Channel<TestRun>> _started = new();
    private readonly ConcurrentBag<TestRun> _runs = [];
    private Func<TestRun, ValueTask<TaskOutcome>>? _behaviour;
    private int _running;
    private int _runningMax;

    /// <summary>How many attempts were in the handler at once at most.</summary>
    public int RunningMax => Volatile.Read(ref _runningMax);

    public int Running => Volatile.Read(ref _running);

    /// <summary>From now on attempts end by themselves.</summary>
    public void Behave(Func<TestRun, ValueTask<TaskOutcome>> behaviour) => Volatile.Write(ref _behaviour, behaviour);

    /// <summary>From now on attempts succeed at once.</summary>
    public void SucceedAtOnce() => Behave(static _ => ValueTask.FromResult(TaskOutcome.Succeeded()));

    /// <summary>All attempts, those that run and those to come, succeed.</summary>
    public void LetGo()
    {
        SucceedAtOnce();
        foreach (TestRun run in _runs)
            run.Succeed();
    }

    /// <summary>The next attempt of a task that nobody has asked for yet.</summary>
    public async Task<TestRun> StartedAsync(string id) => await ChannelOf(id).Reader.ReadAsync(TestContext.Current.CancellationToken);

    /// <summary>Whether an attempt of the task has begun that nobody has asked for yet.</summary>
    public bool HasStarted(string id) => ChannelOf(id).Reader.TryPeek(out _);

    public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        var run = new TestRun(context, time, stopping);
        int running = Interlocked.Increment(ref _running);
        for (int seen = RunningMax; running > seen; seen = RunningMax)
            Interlocked.CompareExchange(ref _runningMax, running, seen);
        try
        {
            if (Volatile.Read(ref _behaviour) is { } behaviour)
                return await behaviour(run);
            _runs.Add(run);
            ChannelOf(context.TaskId).Writer.TryWrite(run);
            if (Volatile.Read(ref _behaviour) is not null)
                run.Succeed();
            return await (run.IgnoresStop ? run.Outcome : run.Outcome.WaitAsync(stopping));
        }
        finally
        {
            Interlocked.Decrement(ref _running);
            run.Return();
        }
    }

    private Channel<TestRun> ChannelOf(string id) => _started.GetOrAdd(id, static _ => Channel.CreateUnbounded<TestRun>());
}

/// <summary>One attempt under the test's control.</summary>
internal sealed class TestRun
{
    /// <summary>The label of a task whose handler does not heed that it is told to stop.</summary>
    public const string IgnoresStopLabel = "ignores_stop";

    private readonly TaskCompletionSource<TaskOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<DateTimeOffset> _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _returned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<DateTimeOffset> _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TestRun(TaskContext context, TimeProvider time, CancellationToken stopping)
    {
        Context = context;
        stopping.Register(() => _stopped.TrySetResult(time.GetUtcNow()));
        context.Killed.Register(() => _killed.TrySetResult(time.GetUtcNow()));
    }

    public TaskContext Context { get; }

    /// <summary>Ends when the handler has returned.</summary>
    public Task Returned => _returned.Task;

    public bool IgnoresStop => Context.Labels.ContainsKey(IgnoresStopLabel);

    public Task<TaskOutcome> Outcome => _outcome.Task;

    /// <summary>When it was told to stop.</summary>
    public Task<DateTimeOffset> Stopped => _stopped.Task;

    /// <summary>When it was stopped by force.</summary>
    public Task<DateTimeOffset> Killed => _killed.Task;

    public void Succeed(string result = "") => _outcome.TrySetResult(TaskOutcome.Succeeded(System.Text.Encoding.UTF8.GetBytes(result), "text/plain"));

    public void Fail(bool retryable = true) => _outcome.TrySetResult(TaskOutcome.Failed(new Failure(FailureCode.HandlerError, "it failed", retryable)));

    public void Throw(Exception fault) => _outcome.TrySetException(fault);

    public void Return() => _returned.TrySetResult();
}
