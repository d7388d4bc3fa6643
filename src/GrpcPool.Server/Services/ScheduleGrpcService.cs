using Google.Protobuf.Reflection;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>The pool's contract for whoever wants tasks on a timetable. Holds no state: check, map, ask the pool, map.</summary>
[BindServiceMethod(typeof(ServiceMethods<ScheduleGrpcService>), nameof(ServiceMethods<ScheduleGrpcService>.BindNothing))]
internal sealed class ScheduleGrpcService(TaskPool pool) : ScheduleService.ScheduleServiceBase, IGrpcService<ScheduleGrpcService>
{
    private const int UpcomingDefault = 10;

    private readonly ScheduleBook _schedules = pool.Schedules;

    static ServiceDescriptor IGrpcService<ScheduleGrpcService>.Descriptor => ScheduleService.Descriptor;

    public static void Map(MethodMap<ScheduleGrpcService> methods)
    {
        methods.Unary(nameof(CreateSchedule), CreateScheduleRequest.Parser, static (service, request, call) => service.CreateSchedule(request, call));
        methods.Unary(nameof(GetSchedule), GetScheduleRequest.Parser, static (service, request, call) => service.GetSchedule(request, call));
        methods.Unary(nameof(ListSchedules), ListSchedulesRequest.Parser, static (service, request, call) => service.ListSchedules(request, call));
        methods.Unary(nameof(UpdateSchedule), UpdateScheduleRequest.Parser, static (service, request, call) => service.UpdateSchedule(request, call));
        methods.Unary(nameof(PauseSchedule), PauseScheduleRequest.Parser, static (service, request, call) => service.PauseSchedule(request, call));
        methods.Unary(nameof(ResumeSchedule), ResumeScheduleRequest.Parser, static (service, request, call) => service.ResumeSchedule(request, call));
        methods.Unary(nameof(TriggerSchedule), TriggerScheduleRequest.Parser, static (service, request, call) => service.TriggerSchedule(request, call));
        methods.Unary(nameof(DeleteSchedule), DeleteScheduleRequest.Parser, static (service, request, call) => service.DeleteSchedule(request, call));
        methods.Unary(nameof(ListUpcoming), ListUpcomingRequest.Parser, static (service, request, call) => service.ListUpcoming(request, call));
    }

    public override async Task<CreateScheduleResponse> CreateSchedule(CreateScheduleRequest request, ServerCallContext context)
    {
        string @namespace = Caller.Namespace(context);
        ScheduleSpec spec = ScheduleReader.Read(request.Schedule, pool, @namespace);
        ScheduleId id = request.Schedule.Id.Length == 0 ? ScheduleId.New(@namespace, pool.Time.GetUtcNow()) : new ScheduleId(@namespace, request.Schedule.Id);
        CommandOutcome outcome = await _schedules.CreateAsync(id, spec, request.Schedule.Paused, Caller.Name(context)).ConfigureAwait(false);
        return outcome.Verdict switch
        {
            Verdict.Done or Verdict.Existing => new CreateScheduleResponse { Schedule = Shown(outcome.Schedule!, context), Created = outcome.Verdict == Verdict.Done },
            Verdict.Conflict => throw new PoolErrorException(new PoolError.ScheduleExists(id.Value)),
            _ => throw new PoolErrorException(new PoolError.LimitReached("Limits:Schedules", pool.Options.Limits.Schedules, $"the schedule '{id.Value}' would be one too many")),
        };
    }

    public override async Task<GetScheduleResponse> GetSchedule(GetScheduleRequest request, ServerCallContext context) =>
        new() { Schedule = Shown(await FindAsync(ReadId(request.Id, context)).ConfigureAwait(false), context) };

    public override async Task<ListSchedulesResponse> ListSchedules(ListSchedulesRequest request, ServerCallContext context)
    {
        (string after, int limit) = SchedulePaging.Read(request);
        return SchedulePaging.Answer(await _schedules.ReadAsync(Caller.Namespace(context), after, limit).ConfigureAwait(false));
    }

    public override async Task<UpdateScheduleResponse> UpdateSchedule(UpdateScheduleRequest request, ServerCallContext context)
    {
        string @namespace = Caller.Namespace(context);
        ScheduleSpec spec = ScheduleReader.Read(request.Schedule, pool, @namespace);
        long version = ScheduleReader.ReadVersion(request.Schedule);
        var id = new ScheduleId(@namespace, request.Schedule.Id);
        CommandOutcome outcome = await _schedules.UpdateAsync(id, spec, request.Schedule.Paused, version, Caller.Name(context)).ConfigureAwait(false);
        if (outcome.Verdict == Verdict.Conflict)
            throw new PoolErrorException(new PoolError.VersionConflict(id.Value, version, outcome.Schedule!.Version));
        return new UpdateScheduleResponse { Schedule = Shown(outcome.Schedule ?? throw NotFound(id), context) };
    }

    public override async Task<PauseScheduleResponse> PauseSchedule(PauseScheduleRequest request, ServerCallContext context)
    {
        ScheduleId id = ReadId(request.Id, context);
        CommandOutcome outcome = await _schedules.PauseAsync(id, paused: true).ConfigureAwait(false);
        return new PauseScheduleResponse { Schedule = Shown(outcome.Schedule ?? throw NotFound(id), context) };
    }

    public override async Task<ResumeScheduleResponse> ResumeSchedule(ResumeScheduleRequest request, ServerCallContext context)
    {
        ScheduleId id = ReadId(request.Id, context);
        CommandOutcome outcome = await _schedules.PauseAsync(id, paused: false).ConfigureAwait(false);
        return new ResumeScheduleResponse { Schedule = Shown(outcome.Schedule ?? throw NotFound(id), context) };
    }

    public override async Task<TriggerScheduleResponse> TriggerSchedule(TriggerScheduleRequest request, ServerCallContext context)
    {
        NewTask task = _schedules.TaskForNow(await FindAsync(ReadId(request.Id, context)).ConfigureAwait(false), Caller.Name(context));
        SubmitResult result = await pool.SubmitAsync(task, context.CancellationToken).ConfigureAwait(false);
        return new TriggerScheduleResponse { Task = ProtoMapping.ToInfo(pool.View(Submissions.Accepted(pool, task, result).Task!), V1.TaskView.Basic) };
    }

    public override async Task<DeleteScheduleResponse> DeleteSchedule(DeleteScheduleRequest request, ServerCallContext context)
    {
        ScheduleId id = ReadId(request.Id, context);
        (CommandOutcome outcome, long cancelled) =
            await _schedules.DeleteAsync(id, request.CancelTasks, Caller.Name(context), HandlerRegistry.DefaultKillAfter, context.CancellationToken).ConfigureAwait(false);
        return outcome.Verdict == Verdict.Done ? new DeleteScheduleResponse { Cancelled = cancelled } : throw NotFound(id);
    }

    public override async Task<ListUpcomingResponse> ListUpcoming(ListUpcomingRequest request, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Range(request.Count, 0, ScheduleBook.UpcomingMax, "count");
        checks.ThrowIfAny();
        ScheduleRecord schedule = await FindAsync(ReadId(request.Id, context)).ConfigureAwait(false);
        IReadOnlyList<DateTimeOffset> times = ScheduleBook.Upcoming(schedule, request.Count == 0 ? UpcomingDefault : request.Count);
        return new ListUpcomingResponse { Times = { times.Select(static time => ScheduleMapping.ToTimestamp(time)) } };
    }

    private async Task<ScheduleRecord> FindAsync(ScheduleId id) => await _schedules.FindAsync(id).ConfigureAwait(false) ?? throw NotFound(id);

    private static ScheduleId ReadId(string id, ServerCallContext context) => ScheduleReader.ReadId(id, Caller.Namespace(context));

    /// <summary>As its caller may see it: what a task is given is for those alone who may read.</summary>
    private static Schedule Shown(ScheduleRecord record, ServerCallContext context) =>
        ScheduleMapping.ToSchedule(record, Caller.View(V1.TaskView.Full, context));

    private static PoolErrorException NotFound(ScheduleId id) => new(new PoolError.ScheduleNotFound(id.Value));
}
