using System.Buffers;
using Cronos;

namespace GrpcPool.Core.Schedules;

/// <summary>
/// The due times of a cron expression by the clock on the wall of a time zone. The expression knows of wall clocks only; what becomes of their changes is decided here, by
/// the rules of Cronos, which itself loses an hour in zones whose winter time is the exception, such as Africa/Casablanca.
/// </summary>
internal sealed class CronTimes
{
    /// <summary>The zone of those who do not name one; it needs no database of zones.</summary>
    public const string Utc = "UTC";

    private const int CharactersMax = 256;

    private static readonly SearchValues<char> ZoneCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");
    private static readonly SearchValues<char> ListCharacters = SearchValues.Create("*-/");

    private static readonly TimeSpan SearchMin = TimeSpan.FromSeconds(2);

    /// <summary>There is a leap day within eight years.</summary>
    private static readonly TimeSpan SearchMax = TimeSpan.FromDays(20 * 365);

    private readonly CronExpression _expression;
    private readonly WallClock _clock;

    /// <summary>Whether its times of day are a list, which goes on as the clock shows it.</summary>
    private readonly bool _isList;

    private CronTimes(CronExpression expression, bool isList, TimeZoneInfo zone) => (_expression, _isList, _clock) = (expression, isList, new WallClock(zone));

    public static CronTimes Of(Timetable.Cron cron) => new(
        Parse(cron.Expression) ?? throw new InvalidOperationException($"'{cron.Expression}' is no cron expression"),
        IsList(cron.Expression),
        FindZone(cron.TimeZone) ?? throw new InvalidOperationException($"'{cron.TimeZone}' is no time zone of this machine"));

    public static bool IsExpression(string text) => Parse(text) is not null;

    public static bool IsZone(string name) => FindZone(name) is not null;

    /// <summary>
    /// The first after a point in time. Where the clock leaves a due time out, it comes when the clock goes on; where the clock shows one twice, the second does not count,
    /// but for lists.
    /// </summary>
    public DateTimeOffset? After(DateTimeOffset time)
    {
        DateTime from = time.UtcDateTime;
        TimeSpan offset = _clock.OffsetAt(from);
        (DateTime wall, bool inclusive) = (from + offset, false);
        if (!_isList && _clock.RepeatsUntil(from) is { } until && until > wall)
            (wall, inclusive) = (until, true);
        while (_expression.GetNextOccurrence(wall, inclusive) is { } match)
        {
            DateTime due = match - offset;
            if (_clock.NextChange(from, due) is not { } change)
                return new DateTimeOffset(due);
            TimeSpan next = _clock.OffsetAt(change);
            if (match < change + next)
                return new DateTimeOffset(change);
            wall = _isList || next > offset ? change + next : change + offset;
            (from, offset, inclusive) = (change, next, true);
        }

        return null;
    }

    /// <summary>The last before a point in time, found forwards.</summary>
    public DateTimeOffset? Before(DateTimeOffset time)
    {
        for (TimeSpan back = SearchMin; back < SearchMax; back *= 2)
        {
            DateTimeOffset? last = null;
            for (DateTimeOffset? at = After(time - back); at < time; at = After(at.Value))
                last = at;
            if (last is not null)
                return last;
        }

        return null;
    }

    private static CronExpression? Parse(string text)
    {
        if (text.Length > CharactersMax)
            return null;
        return CronExpression.TryParse(text, Fields(text).Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard, out CronExpression? expression) ? expression : null;
    }

    private static bool IsList(string text) => text.StartsWith('@')
        ? text.StartsWith("@every", StringComparison.OrdinalIgnoreCase) || text.Equals("@hourly", StringComparison.OrdinalIgnoreCase)
        : Fields(text)[..^3].Any(static field => field.AsSpan().ContainsAny(ListCharacters));

    private static string[] Fields(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Names are file names of the database of zones: nothing else may be asked for.</summary>
    private static TimeZoneInfo? FindZone(string name)
    {
        if (name == Utc)
            return TimeZoneInfo.Utc;
        if (name.Length is 0 or > CharactersMax || name.AsSpan().ContainsAnyExcept(ZoneCharacters) || name[0] == '/')
            return null;
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception e) when (e is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException)
        {
            return null;
        }
    }
}
