using Google.Protobuf.Reflection;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;
using GrpcPool.V1;
using TaskFilter = GrpcPool.Core.Storage.TaskFilter;

namespace GrpcPool.Server.Services;

/// <summary>The pool's contract for whoever submits and watches. Holds no state: check, map, ask the pool, map.</summary>
/// <remarks>
/// The calls that are made most have answers that are serialised already: the generated ones would be messages of many small objects, those of Watch anew for each watcher. For the same reason many
/// tasks come in packed; a single one, which may be large, would be copied once more by that.
/// </remarks>
[BindServiceMethod(typeof(ServiceMethods<TaskPoolGrpcService>), nameof(ServiceMethods<TaskPoolGrpcService>.BindNothing))]
internal sealed class TaskPoolGrpcService(TaskPool pool, WatchStreams streams, LogStreams logs) : TaskPoolService.TaskPoolServiceBase, IGrpcService<TaskPoolGrpcService>
{
    private const int BatchMax = 10_000;
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);

    static ServiceDescriptor IGrpcService<TaskPoolGrpcService>.Descriptor => TaskPoolService.Descriptor;

    public static void Map(MethodMap<TaskPoolGrpcService> methods)
    {
        methods.Unary(nameof(Submit), SubmitRequest.Parser, static (answer, context) => context.Complete(answer), static (service, request, call) => service.SubmitAsync(request, call));
        methods.Unary(nameof(SubmitBatch), PackedSubmitBatchRequest.Parser, PackedResponse.Write, static (service, request, call) => service.SubmitBatchAsync(request, call));
        methods.DuplexStreaming<PackedSubmitStreamRequest, SubmitStreamResponse>(nameof(SubmitStream), PackedSubmitStreamRequest.Parser, static (service, requests, responses, call) => service.SubmitStreamAsync(requests, responses, call));
        methods.ServerStreaming<SubmitAndWatchRequest, SubmitAndWatchResponse>(nameof(SubmitAndWatch), SubmitAndWatchRequest.Parser, static (service, request, responses, call) => service.SubmitAndWatch(request, responses, call));
        methods.ServerStreaming<WatchRequest, PackedResponse>(nameof(Watch), WatchRequest.Parser, PackedResponse.Write, static (service, request, responses, call) => service.WatchAsync(request, responses, call));
        methods.Unary(nameof(GetStatus), GetStatusRequest.Parser, static (service, request, call) => service.GetStatus(request, call));
        methods.Unary(nameof(Wait), WaitRequest.Parser, static (service, request, call) => service.Wait(request, call));
        methods.Unary(nameof(List), ListRequest.Parser, static (service, request, call) => service.List(request, call));
        methods.Unary(nameof(Count), CountRequest.Parser, static (service, request, call) => service.Count(request, call));
        methods.Unary(nameof(Cancel), CancelRequest.Parser, static (service, request, call) => service.Cancel(request, call));
        methods.Unary(nameof(CancelMatching), CancelMatchingRequest.Parser, static (service, request, call) => service.CancelMatching(request, call));
        methods.Unary(nameof(Retry), RetryRequest.Parser, static (service, request, call) => service.Retry(request, call));
        methods.Unary(nameof(RetryMatching), RetryMatchingRequest.Parser, static (service, request, call) => service.RetryMatching(request, call));
        methods.Unary(nameof(Delete), DeleteRequest.Parser, static (service, request, call) => service.Delete(request, call));
        methods.Unary(nameof(Complete), CompleteRequest.Parser, static (service, request, call) => service.Complete(request, call));
        methods.ServerStreaming<ReadLogRequest, ReadLogResponse>(nameof(ReadLog), ReadLogRequest.Parser, static (service, request, responses, call) => service.ReadLog(request, responses, call));
    }

    private async Task<byte[]> SubmitAsync(SubmitRequest request, ServerCallContext context)
    {
        NewTask task = Submissions.Read(pool, request.Task, Caller.Namespace(context), context);
        SubmitResult[] results = await pool.SubmitAsync([task], atomic: false, WhenFull.AsTheQueueSays, context.CancellationToken).ConfigureAwait(false);
        SubmitResult accepted = Submissions.Accepted(pool, task, results[0]);
        return Packing.ToAnswer(pool.View(accepted.Task!), accepted.Verdict == SubmitVerdict.Created);
    }

    private Task WatchAsync(WatchRequest request, IServerStreamWriter<PackedResponse> stream, ServerCallContext context) =>
        streams.WatchAsync(request, stream, Caller.Namespace(context), context);

    private Task<PackedResponse> SubmitBatchAsync(PackedSubmitBatchRequest request, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Range(request.Tasks.Count, 1, BatchMax, "tasks");
        checks.ThrowIfAny();
        return Submissions.SubmitBatchAsync(pool, request, Caller.Namespace(context), context);
    }

    private Task SubmitStreamAsync(IAsyncStreamReader<PackedSubmitStreamRequest> requestStream, IServerStreamWriter<SubmitStreamResponse> responseStream, ServerCallContext context) =>
        new StreamSubmission(pool, Submissions.Reader(pool, Caller.Namespace(context), context), requestStream, responseStream).RunAsync(context.CancellationToken);

    public override Task SubmitAndWatch(SubmitAndWatchRequest request, IServerStreamWriter<SubmitAndWatchResponse> responseStream, ServerCallContext context) =>
        streams.SubmitAndWatchAsync(request, responseStream, Caller.Namespace(context), context);

    public override async Task<GetStatusResponse> GetStatus(GetStatusRequest request, ServerCallContext context)
    {
        TaskId id = await RequestFields.ReadIdAsync(pool, request.Id, context, request.View).ConfigureAwait(false);
        TaskRecord task = await pool.FindAsync(id).ConfigureAwait(false) ?? throw NotFound(id);
        return new GetStatusResponse { Task = ProtoMapping.ToInfo(await pool.ViewAsync(task, request.QueuePosition).ConfigureAwait(false), request.View) };
    }

    public override async Task<WaitResponse> Wait(WaitRequest request, ServerCallContext context)
    {
        TaskId id = await RequestFields.ReadIdAsync(pool, request.Id, context, request.View).ConfigureAwait(false);
        TimeSpan timeout = RequestFields.ReadSpan(request.Timeout, WaitMax, WaitMax, "timeout");
        TaskRecord task = await pool.WaitAsync(id, timeout, context.CancellationToken).ConfigureAwait(false) ?? throw NotFound(id);
        return new WaitResponse { Task = ProtoMapping.ToInfo(pool.View(task), request.View), Finished = task.State.IsFinal() };
    }

    public override async Task<ListResponse> List(ListRequest request, ServerCallContext context)
    {
        TaskFilter filter = FilterReader.Read(request.Filter, context);
        TaskScan scan = Paging.Read(request, filter);
        long revision = pool.Revision;
        TaskPage page = await pool.ListAsync(scan).ConfigureAwait(false);
        return Paging.Answer(page, request, filter, revision, task => ProtoMapping.ToInfo(pool.View(task), request.View));
    }

    public override Task<CountResponse> Count(CountRequest request, ServerCallContext context) =>
        Counting.CountAsync(pool, FilterReader.Read(request.Filter, context), request.GroupBy, context.CancellationToken);

    public override async Task<CancelResponse> Cancel(CancelRequest request, ServerCallContext context)
    {
        TaskId id = await RequestFields.ReadIdAsync(pool, request.Id, context).ConfigureAwait(false);
        TimeSpan forceAfter = RequestFields.ReadCancel(request.Reason, request.ForceAfter);
        CommandOutcome outcome = await pool.CancelAsync(id, request.Reason, Caller.Name(context), forceAfter).ConfigureAwait(false);
        return new CancelResponse { Task = ProtoMapping.ToInfo(pool.View(outcome.Task ?? throw NotFound(id)), V1.TaskView.Basic) };
    }

    public override async Task<CancelMatchingResponse> CancelMatching(CancelMatchingRequest request, ServerCallContext context)
    {
        TaskFilter filter = FilterReader.ReadRestricting(request.Filter, context);
        TimeSpan forceAfter = RequestFields.ReadCancel(request.Reason, request.ForceAfter);
        string by = Caller.Name(context);
        Func<TaskRecord, Task<CommandOutcome>>? cancel = request.DryRun ? null : task => pool.CancelAsync(task.Id, request.Reason, by, forceAfter);
        long cancelled = await pool.ForEachAsync(filter, static task => !task.State.IsFinal() && task.Cancellation is null, cancel, context.CancellationToken).ConfigureAwait(false);
        return new CancelMatchingResponse { Cancelled = cancelled };
    }

    public override async Task<RetryResponse> Retry(RetryRequest request, ServerCallContext context)
    {
        TaskId id = await RequestFields.ReadIdAsync(pool, request.Id, context).ConfigureAwait(false);
        CommandOutcome outcome = await pool.RetryAsync(id).ConfigureAwait(false);
        return new RetryResponse { Task = ProtoMapping.ToInfo(pool.View(Done(outcome, id, "FAILED, CANCELLED or EXPIRED", context)), V1.TaskView.Basic) };
    }

    public override async Task<RetryMatchingResponse> RetryMatching(RetryMatchingRequest request, ServerCallContext context)
    {
        TaskFilter filter = FilterReader.ReadRestricting(request.Filter, context);
        Func<TaskRecord, Task<CommandOutcome>>? retry = request.DryRun ? null : task => pool.RetryAsync(task.Id);
        return new RetryMatchingResponse { Retried = await pool.ForEachAsync(filter, TaskTransitions.CanRetry, retry, context.CancellationToken).ConfigureAwait(false) };
    }

    public override async Task<DeleteResponse> Delete(DeleteRequest request, ServerCallContext context)
    {
        TaskId id = await RequestFields.ReadIdAsync(pool, request.Id, context).ConfigureAwait(false);
        Done(await pool.DeleteAsync(id).ConfigureAwait(false), id, "finished", context);
        return new DeleteResponse();
    }

    public override async Task<CompleteResponse> Complete(CompleteRequest request, ServerCallContext context)
    {
        (TaskId id, LeaseToken token, TaskOutcome outcome) = LeaseReader.Read(request, Caller.Namespace(context));
        await Caller.KnownAsync(pool, id, context).ConfigureAwait(false);
        CommandOutcome completed = await pool.CompleteAsync(id, token, outcome).ConfigureAwait(false);
        return completed.Verdict switch
        {
            Verdict.Done => new CompleteResponse { Task = ProtoMapping.ToInfo(pool.View(completed.Task!), V1.TaskView.Basic) },
            Verdict.NotFound => throw NotFound(id),
            _ => throw new PoolErrorException(new PoolError.LeaseLost(id.Value)),
        };
    }

    public override Task ReadLog(ReadLogRequest request, IServerStreamWriter<ReadLogResponse> responseStream, ServerCallContext context) =>
        logs.ReadAsync(request, responseStream, Caller.Namespace(context), context);

    private static TaskRecord Done(CommandOutcome outcome, TaskId id, string wanted, ServerCallContext context) => outcome.Verdict switch
    {
        Verdict.Done => outcome.Task!,
        Verdict.Awaited => throw new PoolErrorException(new PoolError.Awaited(id.Value)),
        Verdict.KeyHeld => throw new PoolErrorException(ErrorTable.KeyHeld(outcome.Task!.Spec.UniqueKey, outcome.Task, retried: true, Caller.Scope(context))),
        Verdict.Refused => throw new PoolErrorException(new PoolError.WrongState(id.Value, outcome.Task!.State, wanted)),
        _ => throw NotFound(id),
    };

    private static PoolErrorException NotFound(TaskId id) => new(new PoolError.TaskNotFound(id.Value));
}
