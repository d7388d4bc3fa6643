using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Administration;

/// <summary>The operator's hands on the running pool. Each change is written to the log, with who made it. Thread-safe.</summary>
internal sealed class PoolAdmin(TaskPool pool, ILogger<PoolAdmin> log)
{
    private readonly AuditLog _audit = new(log);

    /// <summary>Changes the slots of the server itself. What runs goes on; below what runs nothing starts until enough has ended.</summary>
    /// <returns>The slots before.</returns>
    public async Task<int> ResizeAsync(int slots, string by)
    {
        SettingChange change = SettingKey.Change(slots, pool.Settings.Configured);
        return await ChangeAsync([change], () => pool.Settings.Slots, pool.Resized, by, "the pool's slots").ConfigureAwait(false);
    }

    /// <summary>Changes what holds for a queue.</summary>
    /// <returns>What holds now; null where too many queues have been changed already.</returns>
    public async Task<QueueRules?> UpdateAsync(QueueUpdate update, string by)
    {
        string[] changed = [.. pool.Settings.ChangedQueues];
        if (changed.Length >= pool.Options.Limits.Queues && !changed.Contains(update.Queue))
            return null;
        IReadOnlyList<SettingChange> changes = SettingKey.Changes(update, QueueRules.Of(pool.Options.QueueOrDefault(update.Queue)));
        await ChangeAsync(changes, () => pool.Settings.Queue(update.Queue), () => pool.Changed(update.Queue), by, $"queue {update.Queue}").ConfigureAwait(false);
        return pool.Settings.Queue(update.Queue);
    }

    /// <summary>Cancels what waits in a queue now, chunk by chunk; what runs goes on.</summary>
    /// <returns>How many tasks it was.</returns>
    public async Task<long> PurgeAsync(string @namespace, string queue, string reason, bool dryRun, string by, CancellationToken cancellation)
    {
        var filter = new TaskFilter(@namespace) { Queues = [queue], States = [TaskState.Scheduled, TaskState.Queued, TaskState.Retrying] };
        if (dryRun)
            return await pool.ForEachAsync(filter, static _ => true, action: null, cancellation).ConfigureAwait(false);
        long cancelled = 0;
        string outcome = "done";
        try
        {
            return await pool.ForEachAsync(filter, static _ => true, CancelAsync, cancellation).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            outcome = $"not finished: {fault.Message}";
            throw;
        }
        finally
        {
            _audit.Write(by, $"purge of queue {queue} in namespace {@namespace}", "waiting", $"{Interlocked.Read(ref cancelled)} tasks cancelled", outcome);
        }

        async Task<CommandOutcome> CancelAsync(TaskRecord task)
        {
            CommandOutcome done = await pool.Committer.CommitAsync(new CancelTask(task.Id, reason, "") { OnlyWaiting = true }).ConfigureAwait(false);
            if (done.Verdict == Verdict.Done)
                Interlocked.Increment(ref cancelled);
            return done;
        }
    }

    /// <summary>Tells one worker to finish and leave: it is assigned nothing more.</summary>
    /// <returns>How it is now; null where there is no such worker.</returns>
    public WorkerState? DrainWorker(string @namespace, string id, string by)
    {
        WorkerSession? worker = pool.Workers.Find(@namespace, id);
        worker?.AskToDrain();
        _audit.Write(by, $"worker {id}", worker?.Hello.Name ?? "", "draining", worker is null ? "no such worker" : "done");
        return worker?.Describe();
    }

    /// <summary>Drains the pool without ending it.</summary>
    public async Task DrainAsync(string by)
    {
        bool began = await pool.BeginDrainAsync().ConfigureAwait(false);
        _audit.Done(by, "the pool", began ? "open" : "draining", "draining");
    }

    private async Task<T> ChangeAsync<T>(IReadOnlyList<SettingChange> changes, Func<T> read, Action changed, string by, string what)
        where T : notnull
    {
        (T before, T after) = (read(), read());
        var request = new SettingsRequest(changes, () =>
        {
            before = read();
            pool.Settings.Apply(changes);
            changed();
            after = read();
        });
        try
        {
            await pool.Committer.HandInAsync(request).ConfigureAwait(false);
            await request.Task.ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            _audit.Write(by, what, before, string.Join(", ", changes.Select(static change => $"{change.Key} = {change.Value}")), $"failed: {fault.Message}");
            throw;
        }

        _audit.Done(by, what, before, after);
        return before;
    }
}
