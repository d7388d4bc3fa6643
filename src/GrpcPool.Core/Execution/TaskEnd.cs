using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;

namespace GrpcPool.Core.Execution;

/// <summary>Waits for the end of one task, by a watch of its own.</summary>
internal static class TaskEnd
{
    /// <summary>Waits for a task's end, at most so long. Null: it was deleted meanwhile, or never was.</summary>
    public static async Task<TaskRecord?> WaitAsync(TaskPool pool, TaskId id, TimeSpan timeout, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(timeout, pool.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            using Watch watch = pool.Watch(new WatchQuery { Ids = [id], OutlastsDrain = true });
            await foreach (WatchBatch batch in watch.ReadAsync(either.Token).ConfigureAwait(false))
            {
                // A task without retention is forgotten before it could be looked up.
                if (batch.Events.LastOrDefault(IsEnd).Change is { } end)
                    return end.Task;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // It did not end in time, which is no error.
        }
        catch (WatchException gone) when (gone.Fault == WatchFault.NotFound)
        {
            return null;
        }
        catch (WatchException closed) when (closed.Fault == WatchFault.Draining)
        {
            // The task's end may have been what the drain was waiting for.
            TaskRecord? last = await pool.FindAsync(id).ConfigureAwait(false);
            if (last?.State.IsFinal() != true)
                throw;
            return last;
        }

        return await pool.FindAsync(id).ConfigureAwait(false);

        static bool IsEnd(WatchEvent told) => told.Type is WatchEventType.Snapshot or WatchEventType.Changed && told.Change!.Task.State.IsFinal();
    }
}
