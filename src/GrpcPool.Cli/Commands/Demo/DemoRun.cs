using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>Submits the tasks, follows them, and cancels those that are to be cancelled: all by the public API.</summary>
internal sealed class DemoRun(TaskPoolService.TaskPoolServiceClient client, DemoBoard board)
{
    /// <summary>A batch must stay below the largest message.</summary>
    private const int BatchPayloadBytesMax = 100_000;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan EndTimeout = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, DemoTask> _toCancel = board.Tasks.Where(task => task.CancelWhen is not null).ToDictionary(task => task.Id);

    private static TaskFilter Filter => new() { Labels = { [DemoTasks.LabelName] = DemoTasks.LabelValue } };

    /// <summary>Submits all tasks and follows them to their ends.</summary>
    /// <param name="show">Is called after changes, and several times a second.</param>
    /// <param name="cancellationToken">Leaves the tasks as they are.</param>
    /// <exception cref="TimeoutException">They did not all end.</exception>
    public async Task FollowAsync(Action show, CancellationToken cancellationToken)
    {
        using AsyncServerStreamingCall<WatchResponse> watch = client.Watch(new WatchRequest { Filter = Filter }, cancellationToken: cancellationToken);
        await watch.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false);
        await SubmitAsync(cancellationToken).ConfigureAwait(false);

        Task<bool> next = watch.ResponseStream.MoveNext(cancellationToken);
        while (!board.IsDone)
        {
            if (board.Elapsed > EndTimeout)
                throw new TimeoutException($"not all tasks ended within {EndTimeout.TotalSeconds} s.");
            if (await IsSoonAsync(next, cancellationToken).ConfigureAwait(false))
            {
                await TakeAsync(watch.ResponseStream.Current, cancellationToken).ConfigureAwait(false);
                next = watch.ResponseStream.MoveNext(cancellationToken);
            }

            show();
        }
    }

    /// <summary>All tasks as they are in the end, with their results.</summary>
    public async Task<IReadOnlyDictionary<string, TaskInfo>> CollectAsync(CancellationToken cancellationToken)
    {
        var tasks = new Dictionary<string, TaskInfo>(StringComparer.Ordinal);
        var request = new ListRequest { Filter = Filter, View = TaskView.Full };
        do
        {
            ListResponse page = await client.ListAsync(request, cancellationToken: cancellationToken).ConfigureAwait(false);
            foreach (TaskInfo task in page.Tasks)
                tasks[task.Id] = task;
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return tasks;
    }

    private async Task SubmitAsync(CancellationToken cancellationToken)
    {
        var batch = new SubmitBatchRequest { Atomic = true };
        batch.Tasks.AddRange(board.Tasks.Select(task => task.Spec).Where(IsSmall));
        SubmitBatchResponse response = await client.SubmitBatchAsync(batch, cancellationToken: cancellationToken).ConfigureAwait(false);
        if (response.Results.FirstOrDefault(result => result.Error is not null) is { Error: { } error })
            throw new RpcException(new Status((StatusCode)error.Code, error.Message));

        foreach (TaskSpec spec in board.Tasks.Select(task => task.Spec).Where(spec => !IsSmall(spec)))
            await client.SubmitAsync(new SubmitRequest { Task = spec }, cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    private async Task TakeAsync(WatchResponse response, CancellationToken cancellationToken)
    {
        foreach (TaskInfo task in response.Events.Select(change => change.Task).OfType<TaskInfo>())
        {
            board.Take(task);
            if (_toCancel.TryGetValue(task.Id, out DemoTask? declared) && declared.CancelWhen!(task) && _toCancel.Remove(task.Id))
                await CancelAsync(task.Id, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CancelAsync(string id, CancellationToken cancellationToken)
    {
        var request = new CancelRequest { Id = id, Reason = "the demo changed its mind", ForceAfter = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)) };
        await client.CancelAsync(request, cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    private static bool IsSmall(TaskSpec spec) => spec.Payload.Length <= BatchPayloadBytesMax;

    private static async Task<bool> IsSoonAsync(Task<bool> next, CancellationToken cancellationToken)
    {
        using var tick = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task first = await Task.WhenAny(next, Task.Delay(Tick, TimeProvider.System, tick.Token)).ConfigureAwait(false);
        await tick.CancelAsync().ConfigureAwait(false);
        if (first != next)
            return false;
        return await next.ConfigureAwait(false) ? true : throw new IOException("the watch ended before the tasks did.");
    }
}
