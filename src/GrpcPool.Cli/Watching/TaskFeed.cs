using System.Runtime.CompilerServices;
using System.Threading.Channels;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Watching;

/// <summary>News of the tasks that somebody watches.</summary>
internal static class TaskFeed
{
    private const int BufferMax = 256;

    private static readonly TaskState[] Live = [TaskState.Scheduled, TaskState.Queued, TaskState.Running, TaskState.Retrying];

    /// <summary>News of the tasks of a selection: of ids until all have ended, of a filter without end. Faults of asking show at once.</summary>
    public static async Task<IAsyncEnumerable<TaskEvent>> OfAsync(GrpcPoolClient client, TaskSelection selection, CancellationToken cancellationToken)
    {
        // Asked once, so that a wrong id or filter, or an unreachable server, shows at once: the watch itself is patient.
        foreach (string id in selection.Ids)
            await client.GetTask(id).GetStatusAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        if (selection.Ids.Count > 0)
            return Merge([.. selection.Ids.Select(client.GetTask)], cancellationToken);

        TaskFilter filter = selection.Filter;
        await client.Service.CountAsync(new CountRequest { Filter = filter }, cancellationToken: cancellationToken).ConfigureAwait(false);
        if (filter.States.Count == 0)
            filter.States.Add(Live);
        return client.WatchAsync(filter, cancellationToken: cancellationToken);
    }

    /// <summary>News of one task until its end.</summary>
    public static async IAsyncEnumerable<TaskEvent> Of(TaskHandle handle, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long version = 0;
        await foreach (TaskInfo task in handle.WatchAsync(cancellationToken: cancellationToken).ConfigureAwait(false))
        {
            WatchEventType type = version == 0 ? WatchEventType.Snapshot : version == task.Version ? WatchEventType.Progress : WatchEventType.Changed;
            version = task.Version;
            yield return new TaskEvent(type, task, task.Revision, Restarted: false);
        }
    }

    /// <summary>Shows the news: as lines, or as a picture where the terminal can.</summary>
    /// <returns>The last task of which there was news.</returns>
    public static Task<TaskInfo?> ShowAsync(OutputFormat format, IAsyncEnumerable<TaskEvent> feed) =>
        format == OutputFormat.Table && !Screen.IsPlain ? WatchTable.ShowAsync(feed) : WatchLines.ShowAsync(format, feed);

    private static async IAsyncEnumerable<TaskEvent> Merge(TaskHandle[] handles, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var channel = Channel.CreateBounded<TaskEvent>(BufferMax);
        Task reading = ReadAllAsync(handles, channel.Writer, ending.Token);
        try
        {
            await foreach (TaskEvent told in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return told;
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task ReadAllAsync(TaskHandle[] handles, ChannelWriter<TaskEvent> writer, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(handles.Select(ReadAsync)).ConfigureAwait(false);
            writer.Complete();
        }
        catch (Exception error)
        {
            writer.Complete(error);
            throw;
        }

        async Task ReadAsync(TaskHandle handle)
        {
            await foreach (TaskEvent told in Of(handle, cancellationToken).ConfigureAwait(false))
                await writer.WriteAsync(told, cancellationToken).ConfigureAwait(false);
        }
    }
}
