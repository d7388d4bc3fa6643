using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Client.Workers;
using GrpcPool.V1;

namespace GrpcPool.Client.Testing;

/// <summary>The tasks of a pool in memory, how they change, and who watches. Thread-safe.</summary>
internal sealed class InMemoryTasks(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly List<InMemoryTask> _tasks = [];
    private readonly List<TestWorkContext> _attempts = [];
    private readonly List<InMemoryWatch> _watches = [];
    private readonly Dictionary<string, IWorkHandler> _handlers = new(StringComparer.Ordinal);
    private long _revision;

    public TimeProvider Time => time;

    public IReadOnlyList<TaskSpec> Submitted
    {
        get
        {
            lock (_lock)
                return [.. _tasks.Select(static task => task.Spec.Clone())];
        }
    }

    public IReadOnlyList<TestWorkContext> Attempts
    {
        get
        {
            lock (_lock)
                return [.. _attempts];
        }
    }

    public void AddHandler(string kind, IWorkHandler handler)
    {
        lock (_lock)
        {
            _handlers[kind] = handler;
            foreach (InMemoryTask task in _tasks.Where(task => task.Spec.Kind == kind && task.Info.State == TaskState.Queued))
                Start_NeedsLock(task, handler);
        }
    }

    /// <exception cref="RpcException">Another task has the id.</exception>
    public (TaskInfo Task, bool Created) Submit(TaskSpec spec)
    {
        if (spec.After.Count > 0)
            throw new RpcException(new Status(StatusCode.Unimplemented, "the pool in memory runs every task at once: leave after unset"));
        if (spec.Id.Length == 0)
            spec.Id = Guid.CreateVersion7(time.GetUtcNow()).ToString();
        lock (_lock)
        {
            if (_tasks.Find(task => task.Spec.Id == spec.Id) is { } known)
                return known.Spec.Equals(spec) ? (known.View(TaskView.Basic), false) : throw new RpcException(new Status(StatusCode.AlreadyExists, $"another task has the id {spec.Id}"));
            if (spec.UniqueKey.Length > 0 && _tasks.Find(task => task.Spec.UniqueKey == spec.UniqueKey && !task.Info.State.IsFinal()) is { } holder)
            {
                if (spec.OnConflict is ConflictPolicy.Unspecified or ConflictPolicy.UseExisting)
                    return (holder.View(TaskView.Basic), false);
                if (spec.OnConflict != ConflictPolicy.Replace || holder.Info.State != TaskState.Queued)
                    throw new RpcException(new Status(StatusCode.AlreadyExists, $"the task {holder.Spec.Id} has the unique key {spec.UniqueKey}"));
                Cancel_NeedsLock(holder, "replaced");
            }

            var task = new InMemoryTask(spec, time);
            _tasks.Add(task);
            Publish_NeedsLock(task);
            if (_handlers.TryGetValue(spec.Kind, out IWorkHandler? handler))
                Start_NeedsLock(task, handler);
            return (task.View(TaskView.Basic), true);
        }
    }

    public TaskInfo Find(string id, TaskView view)
    {
        lock (_lock)
            return Get_NeedsLock(id).View(view);
    }

    public Task<TaskInfo> WhenEnded(string id)
    {
        lock (_lock)
            return Get_NeedsLock(id).Ended.Task;
    }

    public TaskInfo Cancel(string id, string reason)
    {
        TestWorkContext? running;
        TaskInfo now;
        lock (_lock)
        {
            InMemoryTask task = Get_NeedsLock(id);
            running = task.Context;
            if (!task.Info.State.IsFinal())
                Cancel_NeedsLock(task, reason);
            now = task.View(TaskView.Basic);
        }

        running?.Stop(reason);
        return now;
    }

    /// <summary>Ends a task, or the attempt that runs.</summary>
    /// <exception cref="InvalidOperationException">The task has ended.</exception>
    public void End(string id, WorkOutcome outcome)
    {
        lock (_lock)
        {
            InMemoryTask task = Get_NeedsLock(id);
            if (task.Info.State.IsFinal())
                throw new InvalidOperationException($"Task {id} is {task.Info.State} already.");
            if (task.Info.State == TaskState.Queued)
                Begin_NeedsLock(task);
            End_NeedsLock(task, outcome);
        }
    }

    public InMemoryWatch Watch(WatchRequest request)
    {
        lock (_lock)
        {
            var watch = new InMemoryWatch(request, request.Ids.Count > 0 ? [.. request.Ids.Select(Get_NeedsLock)] : null);
            watch.Begin(_tasks, _revision);
            _watches.Add(watch);
            return watch;
        }
    }

    public void Unwatch(InMemoryWatch watch)
    {
        lock (_lock)
            _watches.Remove(watch);
    }

    public void StopAll()
    {
        foreach (TestWorkContext attempt in Attempts)
            attempt.Kill();
    }

    private InMemoryTask Get_NeedsLock(string id) =>
        _tasks.Find(task => task.Spec.Id == id) ?? throw new RpcException(new Status(StatusCode.NotFound, $"there is no task {id}"));

    private void Start_NeedsLock(InMemoryTask task, IWorkHandler handler)
    {
        Begin_NeedsLock(task);
        var context = new TestWorkContext(task.Spec, task.Info.Attempt) { OnProgress = progress => OnProgress(task, progress) };
        task.Context = context;
        _attempts.Add(context);
        _ = Task.Run(async () => OnEnd(task, context, await context.RunAsync(handler).ConfigureAwait(false)));
    }

    private void Cancel_NeedsLock(InMemoryTask task, string reason)
    {
        task.Info.Cancellation ??= new Cancellation { Reason = reason, At = Timestamp.FromDateTimeOffset(time.GetUtcNow()) };
        if (task.Context is null)
            task.Info.State = TaskState.Cancelled;
        Publish_NeedsLock(task);
    }

    private void Begin_NeedsLock(InMemoryTask task)
    {
        task.Info.Attempt++;
        (task.Info.State, task.Info.StartedAt, task.Info.Worker) = (TaskState.Running, Timestamp.FromDateTimeOffset(time.GetUtcNow()), "memory");
        Publish_NeedsLock(task);
    }

    private void OnEnd(InMemoryTask task, TestWorkContext context, WorkOutcome outcome)
    {
        lock (_lock)
        {
            if (task.Context == context)
                End_NeedsLock(task, outcome);
        }
    }

    private void End_NeedsLock(InMemoryTask task, WorkOutcome outcome)
    {
        TaskInfo info = task.Info;
        task.Context = null;
        info.Failure = outcome.Failure;
        (info.Result, info.ResultContentType) = (Google.Protobuf.ByteString.CopyFrom(outcome.Result.Span), outcome.ContentType);
        bool retries = outcome.Failure is { Retryable: true } && info.Attempt < info.MaxAttempts && info.Cancellation is null;
        info.State = outcome.Failure is null ? TaskState.Succeeded : info.Cancellation is not null ? TaskState.Cancelled : retries ? TaskState.Queued : TaskState.Failed;
        Publish_NeedsLock(task);
        if (retries && _handlers.TryGetValue(info.Kind, out IWorkHandler? handler))
            Start_NeedsLock(task, handler);
    }

    private void OnProgress(InMemoryTask task, Progress progress)
    {
        lock (_lock)
        {
            task.Info.Progress = progress;
            foreach (InMemoryWatch watch in _watches)
                watch.Tell(WatchEventType.Progress, task, _revision);
        }
    }

    private void Publish_NeedsLock(InMemoryTask task)
    {
        task.Info.Version++;
        task.Info.Revision = ++_revision;
        task.Info.UpdatedAt = Timestamp.FromDateTimeOffset(time.GetUtcNow());
        if (task.Info.State.IsFinal())
        {
            task.Info.FinishedAt = task.Info.UpdatedAt;
            task.Ended.TrySetResult(task.View(TaskView.Full));
        }

        foreach (InMemoryWatch watch in _watches)
            watch.Tell(WatchEventType.Changed, task, _revision);
    }
}
