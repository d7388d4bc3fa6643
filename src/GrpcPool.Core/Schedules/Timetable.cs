namespace GrpcPool.Core.Schedules;

/// <summary>When a schedule is due.</summary>
internal abstract record Timetable
{
    /// <summary>By a cron expression in the time of a zone.</summary>
    /// <param name="Expression">5 fields, or 6 with the seconds first.</param>
    /// <param name="TimeZone">A name of the IANA database.</param>
    public sealed record Cron(string Expression, string TimeZone) : Timetable;

    /// <summary>From start to start.</summary>
    public sealed record FixedRate(TimeSpan Period) : Timetable;

    /// <summary>From the end of one run to the start of the next.</summary>
    public sealed record FixedDelay(TimeSpan Pause) : Timetable;
}
