using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Testing;

/// <summary>The one writer of a store under test: keeps its time, and checks of every commit what must hold for all.</summary>
internal sealed class StoreDriver
{
    private readonly CommitRules _rules;

    private StoreDriver(ITaskStore store, StoreState opened)
    {
        (Store, Opened, Revision) = (store, opened, opened.Revision);
        _rules = new CommitRules(opened.Revision);
    }

    public ITaskStore Store { get; private set; }

    public StoreState Opened { get; private set; }

    /// <summary>The newest revision.</summary>
    public long Revision { get; private set; }

    public DateTimeOffset Now { get; private set; } = Given.Now;

    public static async Task<StoreDriver> OpenAsync(ITaskStore store) => new(store, await store.OpenAsync(Given.Now, CancellationToken.None));

    /// <summary>Goes on with the store as its next process finds it.</summary>
    public async Task ReopenAsync(ITaskStore store)
    {
        Store = store;
        Opened = await store.OpenAsync(Now, CancellationToken.None);
        if (Opened.Revision != Revision)
            throw new InvalidOperationException($"the store is at revision {Opened.Revision}, after {Revision}");
    }

    public void Pass(TimeSpan time) => Now += time;

    public async Task<CommitResult> CommitAsync(params TaskCommand[] commands)
    {
        CommitResult result = await Store.CommitAsync(commands, Now);
        _rules.Check(commands, result);
        Revision = result.Revision;
        return result;
    }

    /// <summary>Commits one command alone.</summary>
    public async Task<CommandOutcome> DoAsync(TaskCommand command) => (await CommitAsync(command)).Outcomes[0];

    public async Task<TaskRecord> InsertAsync(NewTask task, InsertMode mode = InsertMode.Plain) => Done((await DoAsync(Given.Insert(mode, task))).Items![0]);

    /// <summary>Inserts tasks and starts them.</summary>
    public async Task<TaskRecord> RunAsync(NewTask task)
    {
        await InsertAsync(task);
        return await StartAsync(task.Id.Value);
    }

    /// <summary>Inserts a task and runs it to its end.</summary>
    public async Task<TaskRecord> EndAsync(NewTask task, AttemptEnding ending) => await EndAsync(await RunAsync(task), ending);

    public async Task<TaskRecord> StartAsync(string id) => Done(await DoAsync(new StartTask(Given.Id(id), new AttemptStart("worker"))));

    public async Task<TaskRecord> EndAsync(TaskRecord running, AttemptEnding ending) => Done(await DoAsync(new EndAttempt(running.Id, running.Claim, ending)));

    public async Task<TaskRecord> CancelAsync(string id) => Done(await DoAsync(Given.Cancel(id)));

    public async Task<TaskRecord> RetryAsync(string id) => Done(await DoAsync(new RetryTask(Given.Id(id))));

    public Task<CommitResult> WakeAsync(int max = 1000) => CommitAsync(new WakeTasks(max));

    public async Task<TaskRecord?> FindAsync(string id) => await Store.FindAsync(Given.Id(id));

    public async Task<TaskRecord> GetAsync(string id) => await FindAsync(id) ?? throw new InvalidOperationException($"{id} is gone");

    /// <summary>The ids of what is ready, in the order of starts.</summary>
    public async Task<string[]> ReadyAsync(Lane? lane = null, int slotsMax = int.MaxValue, int limit = 1000) =>
        [.. (await Store.ReadReadyAsync(lane ?? Given.Lane, slotsMax, limit)).Select(task => task.Id.Value)];

    /// <summary>All that a scan finds, page by page.</summary>
    public async Task<List<TaskRecord>> ScanAsync(TaskFilter? filter = null, bool newestFirst = false, int limit = 1000)
    {
        var found = new List<TaskRecord>();
        long? from = null;
        do
        {
            TaskPage page = await Store.ScanAsync(new TaskScan(filter ?? new TaskFilter(Given.Namespace), from, newestFirst, limit));
            found.AddRange(page.Tasks);
            from = page.Next;
        }
        while (from is not null);
        return found;
    }

    /// <summary>Reads all of a log from an offset, page by page.</summary>
    public async Task<(byte[] Data, long TruncatedBefore)> ReadLogAsync(string id, long offset = 0, int bytesMax = 1000)
    {
        var data = new List<byte>();
        while (true)
        {
            LogPage page = await Store.ReadLogAsync(Given.Id(id), offset, bytesMax) ?? throw new InvalidOperationException($"{id} is gone");
            if (page.Data.IsEmpty)
                return ([.. data], page.TruncatedBefore);
            data.AddRange(page.Data.Span);
            offset = page.Offset + page.Data.Length;
        }
    }

    private static TaskRecord Done(CommandOutcome outcome) =>
        outcome is { Verdict: Verdict.Done, Task: { } task } ? task : throw new InvalidOperationException($"the command ended with {outcome.Verdict}");
}
