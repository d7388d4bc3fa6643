namespace GrpcPool.Core.Tests.Schedules;

/// <summary>
/// When minutes and hours of the clock on the wall come, found by looking at every minute: no cron, no search. A time that the clock leaves out comes after the gap. A
/// time that the clock shows twice comes the first time, and both times where it is in a list.
/// </summary>
/// <param name="zone">Whose clock.</param>
/// <param name="isDue">Which minutes of a day.</param>
/// <param name="isList">Whether they are a list, which goes by what the clock shows.</param>
internal sealed class WallClockModel(TimeZoneInfo zone, Func<int, int, bool> isDue, bool isList)
{
    /// <summary>The due times from one point in time up to another.</summary>
    public IEnumerable<DateTimeOffset> Between(DateTimeOffset from, DateTimeOffset to)
    {
        var due = new SortedSet<DateTimeOffset>();
        var shown = new HashSet<DateTime>();
        for (DateTimeOffset at = from.AddDays(-1); at <= to; at = at.AddMinutes(1))
        {
            DateTime local = Local(at);
            bool firstTime = shown.Add(local);
            if (isDue(local.Hour, local.Minute) && (isList || firstTime))
                due.Add(at);
            if (SkippedBefore(at).Any(skipped => isDue(skipped.Hour, skipped.Minute)))
                due.Add(at);
        }

        return due.Where(at => at >= from);
    }

    private DateTime Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, zone).DateTime;

    /// <summary>The minutes that the clock has left out just before it showed this one.</summary>
    private IEnumerable<DateTime> SkippedBefore(DateTimeOffset at)
    {
        for (DateTime skipped = Local(at.AddMinutes(-1)).AddMinutes(1); skipped < Local(at); skipped = skipped.AddMinutes(1))
            yield return skipped;
    }
}
