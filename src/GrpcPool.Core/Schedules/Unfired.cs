using System.Collections.Immutable;

namespace GrpcPool.Core.Schedules;

/// <summary>
/// Which due times have not been dealt with: all from the frontier on, and those before it that the clock went past. If it is set back among these, they are still to
/// come; what has fired never comes again.
/// </summary>
/// <param name="Frontier">The first due time that the clock has never come to; null for none.</param>
/// <param name="Gaps">What it went past, in order: from a due time up to a time before which the last of them lies.</param>
internal sealed record Unfired(DateTimeOffset? Frontier, ImmutableArray<Gap> Gaps)
{
    /// <summary>How many gaps are remembered, the newest times.</summary>
    private const int GapsMax = 8;

    public static Unfired From(DateTimeOffset? frontier) => new(frontier, []);

    /// <summary>The first such due time at a point in time or after it.</summary>
    public DateTimeOffset? Next(DueTimes times, DateTimeOffset from)
    {
        foreach (Gap gap in Gaps)
        {
            if (gap.To > from && times.From(gap.From > from ? gap.From : from) is { } due && due < gap.To)
                return due;
        }

        return Frontier is { } frontier ? times.From(frontier > from ? frontier : from) : null;
    }

    /// <summary>Whether a due time is one of these.</summary>
    public bool Has(DateTimeOffset due) => due >= Frontier || Gaps.Any(gap => due >= gap.From && due < gap.To);

    /// <summary>A due time has been dealt with.</summary>
    public Unfired Without(DueTimes times, DateTimeOffset due)
    {
        DateTimeOffset? next = times.After(due);
        if (due >= Frontier)
            return this with { Frontier = next };
        ImmutableArray<Gap> gaps = [.. Gaps.SelectMany(gap => due < gap.From || due >= gap.To ? [gap] : Split(gap))];
        return this with { Gaps = Newest(gaps) };

        IEnumerable<Gap> Split(Gap gap)
        {
            if (gap.From < due)
                yield return gap with { To = due };
            if (next < gap.To)
                yield return gap with { From = next.Value };
        }
    }

    /// <summary>The clock went past due times, up to one that fires or is to come; null: past all.</summary>
    public Unfired Past(DateTimeOffset? resume, DateTimeOffset now) => Frontier is not { } first || resume <= first
        ? this
        : new Unfired(resume, Newest([.. Gaps, new Gap(first, resume ?? now)]));

    private static ImmutableArray<Gap> Newest(ImmutableArray<Gap> gaps) => gaps.Length > GapsMax ? gaps[^GapsMax..] : gaps;
}

/// <summary>Due times that the clock went past.</summary>
/// <param name="From">The first of them.</param>
/// <param name="To">All of them are before it.</param>
internal readonly record struct Gap(DateTimeOffset From, DateTimeOffset To);
