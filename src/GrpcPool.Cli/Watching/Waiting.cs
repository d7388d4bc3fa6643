using Google.Protobuf.WellKnownTypes;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Watching;

/// <summary>Waits for the ends of tasks, or for as long as somebody cares.</summary>
internal static class Waiting
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(24);

    /// <summary>The task at its end, or as it is when the time has passed.</summary>
    /// <param name="handle">The task.</param>
    /// <param name="timeout">How long to wait; without end if null.</param>
    /// <param name="interrupted">Ends the waiting.</param>
    public static async Task<TaskInfo> ForEndAsync(TaskHandle handle, Duration? timeout, CancellationToken interrupted) =>
        (await ForEndsAsync([handle], timeout, interrupted).ConfigureAwait(false))[0];

    /// <summary>The same for several tasks together.</summary>
    public static async Task<TaskInfo[]> ForEndsAsync(IReadOnlyList<TaskHandle> handles, Duration? timeout, CancellationToken interrupted)
    {
        // Asked once, so that a wrong id or an unreachable server shows at once: the waiting itself is patient.
        var tasks = new TaskInfo[handles.Count];
        for (int i = 0; i < tasks.Length; i++)
            tasks[i] = await handles[i].GetStatusAsync(TaskView.Full, interrupted).ConfigureAwait(false);

        using var late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, TimeProvider.System);
        if (timeout is not null)
            late.CancelAfter(Min(timeout.ToTimeSpan(), LongestTimer));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(late.Token, interrupted);
        for (int i = 0; i < tasks.Length; i++)
        {
            if (!tasks[i].State.IsFinal())
                tasks[i] = await ForEndOrNowAsync(handles[i], ending.Token, interrupted).ConfigureAwait(false);
        }

        return tasks;
    }

    private static async Task<TaskInfo> ForEndOrNowAsync(TaskHandle handle, CancellationToken ending, CancellationToken interrupted)
    {
        try
        {
            return await handle.WaitAsync(ending).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!interrupted.IsCancellationRequested)
        {
            return await handle.GetStatusAsync(TaskView.Full, interrupted).ConfigureAwait(false);
        }
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
