using Google.Protobuf.WellKnownTypes;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.V1;
using Microsoft.AspNetCore.Http;
using OverlapPolicy = GrpcPool.Core.Schedules.OverlapPolicy;

namespace GrpcPool.Server.Services;

/// <summary>Reads schedules and their ids, and checks every field.</summary>
internal static class ScheduleReader
{
    private const string Field = "schedule";
    private const long RunsMax = 1_000_000_000;
    private static readonly TimeSpan PeriodMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PeriodMax = TimeSpan.FromDays(3650);

    public static ScheduleId ReadId(string id, string @namespace)
    {
        var checks = new FieldChecks();
        CheckId(id, checks);
        checks.ThrowIfAny();
        return new ScheduleId(@namespace, id);
    }

    /// <summary>What a schedule says; its id and version are the caller's to read.</summary>
    public static ScheduleSpec Read(Schedule? sent, TaskPool pool, string @namespace)
    {
        var checks = new FieldChecks(new FieldPath(Field));
        checks.Require(sent is not null, "", "must be set");
        checks.ThrowIfAny();
        if (sent!.Id.Length > 0)
            CheckId(sent.Id, checks);
        Timetable timetable = ReadTimetable(sent, checks);
        DateTimeOffset? startAt = checks.Time(sent.StartAt, "start_at");
        DateTimeOffset? endAt = checks.Time(sent.EndAt, "end_at");
        checks.Require(!(endAt < startAt), "end_at", "must not be before start_at");
        checks.Range(sent.MaxRuns, 0, RunsMax, "max_runs");
        TimeSpan jitter = sent.Jitter is null ? TimeSpan.Zero : checks.Span(sent.Jitter, TimeSpan.Zero, TimeSpan.FromDays(1), "jitter");
        checks.Require(sent.Overlap is >= V1.OverlapPolicy.Unspecified and <= V1.OverlapPolicy.CancelRunning, "overlap", "must be a policy of the contract");
        checks.Require(sent.CatchUp is >= CatchUp.Unspecified and <= CatchUp.All, "catch_up", "must be a policy of the contract");
        NewTask? task = ReadTask(sent.Task, checks, pool, @namespace);
        checks.ThrowIfAny();
        return new ScheduleSpec
        {
            Task = task!.Spec,
            Timetable = timetable,
            StartAt = startAt,
            EndAt = endAt,
            MaxRuns = sent.MaxRuns,
            Jitter = jitter,
            Overlap = sent.Overlap == V1.OverlapPolicy.Unspecified ? OverlapPolicy.Skip : (OverlapPolicy)sent.Overlap,
            CatchUp = sent.CatchUp == CatchUp.Unspecified ? CatchUpPolicy.Skip : (CatchUpPolicy)sent.CatchUp,
        };
    }

    public static long ReadVersion(Schedule sent)
    {
        var checks = new FieldChecks(new FieldPath(Field));
        CheckId(sent.Id, checks);
        checks.Require(sent.Version > 0, "version", "must be that of the schedule as it was read");
        checks.ThrowIfAny();
        return sent.Version;
    }

    private static void CheckId(string id, FieldChecks checks)
    {
        checks.Id(id, "id");
        checks.Require(id.Length <= ScheduleId.CharactersMax, "id", $"must be at most {ScheduleId.CharactersMax} characters");
    }

    private static Timetable ReadTimetable(Schedule sent, FieldChecks checks)
    {
        switch (sent.TimetableCase)
        {
            case Schedule.TimetableOneofCase.Cron:
                string zone = sent.Cron.TimeZone.Length == 0 ? CronTimes.Utc : sent.Cron.TimeZone;
                checks.Require(CronTimes.IsExpression(sent.Cron.Expression), "cron.expression", "must be a cron expression of 5 fields, or 6 with the seconds first");
                checks.Require(CronTimes.IsZone(zone), "cron.time_zone", "must be a name of the IANA database of time zones that the server has, such as Europe/Berlin");
                return new Timetable.Cron(sent.Cron.Expression, zone);
            case Schedule.TimetableOneofCase.FixedRate:
                return new Timetable.FixedRate(ReadPeriod(sent.FixedRate, "fixed_rate", checks));
            case Schedule.TimetableOneofCase.FixedDelay:
                return new Timetable.FixedDelay(ReadPeriod(sent.FixedDelay, "fixed_delay", checks));
            default:
                checks.Require(false, "timetable", "must be set: cron, fixed_rate or fixed_delay");
                return new Timetable.FixedRate(PeriodMin);
        }
    }

    private static TimeSpan ReadPeriod(Duration period, string field, FieldChecks checks) => checks.Span(period, PeriodMin, PeriodMax, field);

    private static NewTask? ReadTask(TaskSpec? sent, FieldChecks checks, TaskPool pool, string @namespace)
    {
        checks.Require(sent is null || sent.Id.Length == 0, "task.id", "must not be set: the server makes it of the schedule's id and the due time");
        checks.Require(sent is null || sent.StartCase == TaskSpec.StartOneofCase.None, "task.start", "must not be set: the schedule says when");

        checks.Require(sent is null || sent.UniqueKey.Length == 0, "task.unique_key", "must not be set: overlap says what becomes of a run whose forerunner has not ended");
        checks.Require(sent is null || sent.After.Count == 0, "task.after", "must not be set: the schedule says when");

        // Whose call it was is nothing that its tasks should be traced to.
        NewTask? task = new SpecReader(pool, @namespace, new HeaderDictionary()).Read(sent, new FieldPath($"{Field}.task"), out PoolError? error);
        if (error is PoolError.InvalidFields invalid)
            checks.Add(invalid.Violations);
        else if (error is not null && checks.Violations is null)
            throw new PoolErrorException(error);
        return task;
    }
}
