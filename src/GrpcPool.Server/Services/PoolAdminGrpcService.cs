using Google.Protobuf.Reflection;
using Grpc.Core;
using GrpcPool.Core.Administration;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Workers;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>The pool's contract for operators. Holds no state.</summary>
[BindServiceMethod(typeof(ServiceMethods<PoolAdminGrpcService>), nameof(ServiceMethods<PoolAdminGrpcService>.BindNothing))]
internal sealed class PoolAdminGrpcService(TaskPool pool, PoolAdmin admin, PoolStreams streams) : PoolAdminService.PoolAdminServiceBase, IGrpcService<PoolAdminGrpcService>
{
    private const int PathCharactersMax = 4096;
    private const int ReasonCharactersMax = 1024;
    private const string DefaultReason = "purged";
    private static readonly TimeSpan IntervalDefault = TimeSpan.FromSeconds(1), IntervalMin = TimeSpan.FromSeconds(0.1), IntervalMax = TimeSpan.FromMinutes(1);

    static ServiceDescriptor IGrpcService<PoolAdminGrpcService>.Descriptor => PoolAdminService.Descriptor;

    public static void Map(MethodMap<PoolAdminGrpcService> methods)
    {
        methods.Unary(nameof(GetPool), GetPoolRequest.Parser, static (service, request, call) => service.GetPool(request, call));
        methods.ServerStreaming<WatchPoolRequest, WatchPoolResponse>(nameof(WatchPool), WatchPoolRequest.Parser, static (service, request, responses, call) => service.WatchPool(request, responses, call));
        methods.Unary(nameof(ResizePool), ResizePoolRequest.Parser, static (service, request, call) => service.ResizePool(request, call));
        methods.Unary(nameof(UpdateQueue), UpdateQueueRequest.Parser, static (service, request, call) => service.UpdateQueue(request, call));
        methods.Unary(nameof(PauseQueue), PauseQueueRequest.Parser, static (service, request, call) => service.PauseQueue(request, call));
        methods.Unary(nameof(ResumeQueue), ResumeQueueRequest.Parser, static (service, request, call) => service.ResumeQueue(request, call));
        methods.Unary(nameof(PurgeQueue), PurgeQueueRequest.Parser, static (service, request, call) => service.PurgeQueue(request, call));
        methods.Unary(nameof(ListWorkers), ListWorkersRequest.Parser, static (service, request, call) => service.ListWorkers(request, call));
        methods.Unary(nameof(DrainWorker), DrainWorkerRequest.Parser, static (service, request, call) => service.DrainWorker(request, call));
        methods.Unary(nameof(Drain), DrainRequest.Parser, static (service, request, call) => service.Drain(request, call));
        methods.Unary(nameof(Backup), BackupRequest.Parser, static (service, request, call) => service.Backup(request, call));
    }

    public override Task<GetPoolResponse> GetPool(GetPoolRequest request, ServerCallContext context) =>
        Task.FromResult(new GetPoolResponse { Pool = PoolMapping.ToInfo(pool, Caller.Read(pool, context)) });

    public override Task WatchPool(WatchPoolRequest request, IServerStreamWriter<WatchPoolResponse> responseStream, ServerCallContext context)
    {
        var checks = new FieldChecks();
        TimeSpan interval = request.Interval is null ? IntervalDefault : checks.Span(request.Interval, IntervalMin, IntervalMax, "interval");
        checks.ThrowIfAny();
        return streams.WriteAsync(interval, responseStream, context);
    }

    public override async Task<ResizePoolResponse> ResizePool(ResizePoolRequest request, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Range(request.Slots, 1, 100_000, "slots");
        checks.ThrowIfAny();
        int before = await admin.ResizeAsync(request.Slots, Caller.Describe(context)).ConfigureAwait(false);
        return new ResizePoolResponse { Slots = request.Slots, SlotsBefore = before, SlotsInUse = pool.Dispatcher.SlotsUsed };
    }

    public override async Task<UpdateQueueResponse> UpdateQueue(UpdateQueueRequest request, ServerCallContext context)
    {
        QueueUpdate update = QueueUpdateReader.Read(request);
        return new UpdateQueueResponse { Queue = await UpdateAsync(update, context).ConfigureAwait(false) };
    }

    public override async Task<PauseQueueResponse> PauseQueue(PauseQueueRequest request, ServerCallContext context) =>
        new() { Queue = await UpdateAsync(new QueueUpdate(ReadQueue(request.Queue)) { Paused = true }, context).ConfigureAwait(false) };

    public override async Task<ResumeQueueResponse> ResumeQueue(ResumeQueueRequest request, ServerCallContext context) =>
        new() { Queue = await UpdateAsync(new QueueUpdate(ReadQueue(request.Queue)) { Paused = false }, context).ConfigureAwait(false) };

    public override async Task<PurgeQueueResponse> PurgeQueue(PurgeQueueRequest request, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Name(request.Queue, "queue");
        checks.Characters(request.Reason, ReasonCharactersMax, "reason");
        checks.ThrowIfAny();
        string reason = request.Reason.Length == 0 ? DefaultReason : request.Reason;
        long cancelled = await admin
            .PurgeAsync(Caller.Namespace(context), request.Queue, reason, request.DryRun, Caller.Describe(context), context.CancellationToken).ConfigureAwait(false);
        return new PurgeQueueResponse { Cancelled = cancelled };
    }

    public override Task<ListWorkersResponse> ListWorkers(ListWorkersRequest request, ServerCallContext context) =>
        Task.FromResult(WorkerPages.Read(request, pool.Workers.List(Caller.Namespace(context))));

    public override Task<DrainWorkerResponse> DrainWorker(DrainWorkerRequest request, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Id(request.WorkerId, "worker_id");
        checks.ThrowIfAny();
        WorkerState worker = admin.DrainWorker(Caller.Namespace(context), request.WorkerId, Caller.Describe(context))
            ?? throw new PoolErrorException(new PoolError.WorkerNotFound(request.WorkerId));
        return Task.FromResult(new DrainWorkerResponse { Worker = PoolMapping.ToInfo(worker) });
    }

    public override async Task<DrainResponse> Drain(DrainRequest request, ServerCallContext context)
    {
        await admin.DrainAsync(Caller.Describe(context)).ConfigureAwait(false);
        return new DrainResponse { Running = pool.Counters.Running };
    }

    public override async Task<BackupResponse> Backup(BackupRequest request, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Require(Path.IsPathFullyQualified(request.Path) && request.Path.Length <= PathCharactersMax, "path", $"must be an absolute path of at most {PathCharactersMax} characters");
        checks.ThrowIfAny();
        return new BackupResponse { SizeBytes = await pool.BackUpAsync(request.Path, context.CancellationToken).ConfigureAwait(false) };
    }

    private async Task<QueueInfo> UpdateAsync(QueueUpdate update, ServerCallContext context)
    {
        if (await admin.UpdateAsync(update, Caller.Describe(context)).ConfigureAwait(false) is null)
            throw new PoolErrorException(new PoolError.LimitReached("Limits:Queues", pool.Options.Limits.Queues, $"too many queues have been changed to change '{update.Queue}' too"));
        return PoolMapping.ToInfo(QueueReading.Of(pool, Caller.Namespace(context), update.Queue));
    }

    private static string ReadQueue(string queue)
    {
        var checks = new FieldChecks();
        checks.Name(queue, "queue");
        checks.ThrowIfAny();
        return queue;
    }
}
