using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Core.Tasks;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>Checks the fields of one request, or of one message within it, and remembers those that break their rules.</summary>
/// <param name="within">The message whose fields are checked; the request itself by default.</param>
internal sealed class FieldChecks(FieldPath within = default)
{
    /// <summary>No duration is longer: added to any date of our time it still makes one.</summary>
    private const int DaysMax = 36_500;

    /// <summary>How many violations are told. They go out in trailers, of which clients take 64 KiB.</summary>
    private const int ViolationsMax = 50;

    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-");
    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");

    private FieldPath _within = within;
    private List<FieldViolation>? _violations;

    public IReadOnlyList<FieldViolation>? Violations => _violations;

    /// <summary>Begins with a message within the request, and forgets what was wrong with the one before.</summary>
    public void Begin(FieldPath within) => (_within, _violations) = (within, null);

    public void Require(bool holds, string field, string rule)
    {
        if (!holds && (_violations ??= []).Count < ViolationsMax)
            _violations.Add(new FieldViolation(_within.Of(field), rule));
    }

    public void Require(bool holds, string field, [InterpolatedStringHandlerArgument(nameof(holds))] ref RuleText rule)
    {
        if (!holds)
            Require(holds, field, rule.ToStringAndClear());
    }

    /// <summary>Adds what was found wrong elsewhere.</summary>
    public void Add(IEnumerable<FieldViolation> violations) => (_violations ??= []).AddRange(violations.Take(ViolationsMax));

    public void ThrowIfAny()
    {
        if (_violations is not null)
            throw new PoolErrorException(new PoolError.InvalidFields(_violations));
    }

    public void Id(string value, string field) =>
        Require(value.Length is > 0 and <= 128 && !value.AsSpan().ContainsAnyExcept(IdCharacters), field, "must be 1 to 128 characters of [A-Za-z0-9._:-]");

    public void Name(string value, string field) => Require(PoolName.IsValid(value), field, "must be 1 to 64 characters of [a-z0-9._-]");

    public void Labels(MapField<string, string> labels, string field)
    {
        Require(labels.Count <= SpecReader.PairsMax, field, $"must be at most {SpecReader.PairsMax}");
        if (labels.Count == 0)
            return; // To go through none makes an object.
        foreach ((string name, string value) in labels)
        {
            if (LabelName(name, field))
                Bytes(value, SpecReader.TextBytesMax, $"{field}[{name}]");
        }
    }

    public void Bytes(string value, int max, string field) =>
        Require(value.Length <= max && Encoding.UTF8.GetByteCount(value) <= max && !value.Contains('\0'), field, $"must be at most {max} bytes of UTF-8 without NUL");

    public void Characters(string value, int max, string field) =>
        Require(value.Length <= max && !value.Contains('\0'), field, $"must be at most {max} characters without NUL");

    public void View(TaskView value) => Require(value is >= TaskView.Unspecified and <= TaskView.Full, "view", "must be a view of the contract");

    public void Range(double value, double min, double max, string field) => Require(value >= min && value <= max, field, $"must be {min} to {max}");

    /// <summary>A duration of the range; the lower bound where it is none.</summary>
    public TimeSpan Span(Duration value, TimeSpan min, TimeSpan max, string field)
    {
        bool valid = value.Nanos is > -1_000_000_000 and < 1_000_000_000 && Math.Sign(value.Nanos) * Math.Sign(value.Seconds) >= 0 && Math.Abs((double)value.Seconds) <= TimeSpan.FromDays(DaysMax).TotalSeconds;
        TimeSpan span = valid ? TimeSpan.FromSeconds(value.Seconds) + TimeSpan.FromTicks(value.Nanos / TimeSpan.NanosecondsPerTick) : TimeSpan.MinValue;
        bool inRange = span >= min && span <= max;
        if (max.TotalDays >= DaysMax)
            Require(inRange, field, $"must be at least {min:c} and at most 100 years");
        else
            Require(inRange, field, $"must be {min:c} to {max:c} (days.hours:minutes:seconds)");
        return inRange ? span : min;
    }

    /// <summary>A positive duration, up to 100 years; null where it is not set.</summary>
    public TimeSpan? PositiveSpan(Duration? value, string field) => value is null ? null : Span(value, TimeSpan.FromTicks(1), TimeSpan.FromDays(DaysMax), field);

    /// <summary>A duration from zero up to 100 years.</summary>
    public TimeSpan LongSpan(Duration value, string field) => Span(value, TimeSpan.Zero, TimeSpan.FromDays(DaysMax), field);

    /// <summary>A point in time from 1970 to 9000; null where it is not set.</summary>
    public DateTimeOffset? Time(Timestamp? value, string field)
    {
        if (value is null)
            return null;
        bool valid = value.Nanos is >= 0 and < 1_000_000_000 && value.Seconds is >= 0 and <= 221_845_392_000;
        Require(valid, field, "must be a time from 1970 to the year 9000");
        return valid ? value.ToDateTimeOffset() : null;
    }

    private bool LabelName(string value, string field)
    {
        bool valid = value.Length is > 0 and <= 64 && !value.AsSpan().ContainsAnyExcept(LabelCharacters);
        Require(valid, field, "must have names of 1 to 64 characters of [a-z0-9_]");
        return valid;
    }
}

/// <summary>Where a message stands in its request.</summary>
/// <param name="Name">The field that holds it; null for the request itself.</param>
/// <param name="Index">Its place in a repeated field; else null.</param>
/// <param name="Rest">What follows the index.</param>
internal readonly record struct FieldPath(string? Name, int? Index = null, string Rest = "")
{
    public string Of(string field) => Name is null ? field : field.Length == 0 ? ToString() : $"{this}.{field}";

    public override string ToString() => Index is { } index ? $"{Name}[{index}]{Rest}" : $"{Name}{Rest}";
}

/// <summary>The text of a rule, put together only where the rule is broken: these run for every field of every task.</summary>
[InterpolatedStringHandler]
internal ref struct RuleText
{
    private DefaultInterpolatedStringHandler _text;

    public RuleText(int literalLength, int formattedCount, bool holds, out bool wanted)
    {
        wanted = !holds;
        _text = wanted ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public void AppendFormatted<T>(T value, string format) => _text.AppendFormatted(value, format);

    public string ToStringAndClear() => _text.ToStringAndClear();
}
