using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client.Testing;

/// <summary>TaskPoolService over tasks in memory. What it does not have is UNIMPLEMENTED.</summary>
internal sealed class InMemoryService(InMemoryTasks tasks) : TaskPoolService.TaskPoolServiceBase
{
    public override Task<SubmitResponse> Submit(SubmitRequest request, ServerCallContext context)
    {
        (TaskInfo task, bool created) = tasks.Submit(request.Task);
        return Task.FromResult(new SubmitResponse { Task = task, Created = created });
    }

    public override Task<SubmitBatchResponse> SubmitBatch(SubmitBatchRequest request, ServerCallContext context) =>
        Task.FromResult(new SubmitBatchResponse { Results = { request.Tasks.Select(Result) } });

    public override async Task SubmitStream(
        IAsyncStreamReader<SubmitStreamRequest> requestStream, IServerStreamWriter<SubmitStreamResponse> responseStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
            await responseStream.WriteAsync(new SubmitStreamResponse { Results = { requestStream.Current.Items.Select(StreamResult) } }).ConfigureAwait(false);
    }

    public override Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context) =>
        Task.FromResult(new GetStatusResponse { Task = tasks.Find(request.Id, request.View) });

    public override async Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context)
    {
        Task ended = tasks.WhenEnded(request.Id);
        await ended.WaitAsync(request.Timeout?.ToTimeSpan() ?? TimeSpan.Zero, tasks.Time, context.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.CancellationToken.ThrowIfCancellationRequested();
        TaskInfo task = tasks.Find(request.Id, request.View);
        return new WaitResponse { Task = task, Finished = task.State.IsFinal() };
    }

    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context)
    {
        if (request.AfterRevision > 0)
            throw new RpcException(new Status(StatusCode.OutOfRange, "the pool in memory keeps no history"));
        InMemoryWatch watch = tasks.Watch(request);
        try
        {
            await foreach (WatchResponse message in watch.Messages.ReadAllAsync(context.CancellationToken).ConfigureAwait(false))
                await responseStream.WriteAsync(message).ConfigureAwait(false);
        }
        finally
        {
            tasks.Unwatch(watch);
        }
    }

    public override Task<CancelResponse> Cancel(CancelRequest request, ServerCallContext context) =>
        Task.FromResult(new CancelResponse { Task = tasks.Cancel(request.Id, request.Reason) });

    private SubmitBatchResult Result(TaskSpec spec)
    {
        try
        {
            (TaskInfo task, bool created) = tasks.Submit(spec);
            return new SubmitBatchResult { Task = task, Created = created };
        }
        catch (RpcException error)
        {
            return new SubmitBatchResult { Error = ErrorOf(error) };
        }
    }

    private SubmitStreamResult StreamResult(SubmitStreamItem item)
    {
        SubmitBatchResult result = Result(item.Task);
        return result.Error is { } error
            ? new SubmitStreamResult { Sequence = item.Sequence, Error = error }
            : new SubmitStreamResult { Sequence = item.Sequence, Id = result.Task.Id, Created = result.Created };
    }

    private static SubmitError ErrorOf(RpcException error) => new() { Code = (int)error.StatusCode, Message = error.Status.Detail };
}
