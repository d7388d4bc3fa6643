using System.Globalization;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The types of settings.</summary>
internal static class ValueRules
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK"];

    public static ValueRule<bool> Flag { get; } = new("true or false", bool.TryParse, _ => true, value => value ? "true" : "false", Bare: true);

    public static ValueRule<DateTimeOffset> Time { get; } = new(
        "a time such as 2027-01-31T08:00:00Z",
        (string text, out DateTimeOffset value) => DateTimeOffset.TryParseExact(text, TimeForms, Invariant, DateTimeStyles.AdjustToUniversal, out value),
        value => value >= DateTimeOffset.UnixEpoch,
        value => value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", Invariant));

    public static ValueRule<int> Whole(int min, int max) => new(
        string.Create(Invariant, $"a whole number from {min:N0} to {max:N0}"),
        (string text, out int value) => int.TryParse(text, NumberStyles.AllowLeadingSign, Invariant, out value),
        value => value >= min && value <= max,
        value => value.ToString(Invariant),
        Bare: true);

    public static ValueRule<double> Real(double min, double max) => new(
        string.Create(Invariant, $"a number from {min} to {max}"),
        (string text, out double value) => double.TryParse(text, NumberStyles.Float, Invariant, out value) && double.IsFinite(value),
        value => value >= min && value <= max,
        value => value.ToString(Invariant),
        Bare: true);

    public static ValueRule<TimeSpan> Span(TimeSpan min, TimeSpan max) => new(
        $"a time span from {Format(min)} to {Format(max)} ({(max < TimeSpan.FromDays(1) ? "" : "[days.]")}hours:minutes:seconds)",
        TryReadSpan,
        value => value >= min && value <= max,
        Format);

    public static ValueRule<TEnum> OneOf<TEnum>()
        where TEnum : struct, Enum => new(
            $"{string.Join(", ", Enum.GetNames<TEnum>()[..^1])} or {Enum.GetNames<TEnum>()[^1]}",
            TryReadName,
            Enum.IsDefined,
            value => value.ToString());

    public static ValueRule<string> Text(string rule, Func<string, bool> allows) => new(
        rule,
        (string text, out string value) =>
        {
            value = text;
            return true;
        },
        allows,
        value => value);

    public static ValueRule<string?> OptionalText(string rule, Func<string, bool> allows) => new(
        rule,
        (string text, out string? value) =>
        {
            value = text.Length == 0 ? null : text;
            return true;
        },
        value => value is null || allows(value),
        value => value);

    /// <summary>The same rule for a value that is shown nowhere.</summary>
    public static ValueRule<T> Secret<T>(ValueRule<T> rule) => rule with { IsSecret = true };

    /// <summary>The same rule for a value that may be missing: null or empty.</summary>
    public static ValueRule<T?> Optional<T>(ValueRule<T> rule)
        where T : struct => new(
            rule.Text,
            (string text, out T? value) =>
            {
                bool read = rule.TryRead(text, out T present);
                value = read ? present : null;
                return read || text.Length == 0;
            },
            value => value is not { } present || rule.Allows(present),
            value => value is { } present ? rule.Format(present) : null,
            rule.Bare);

    // Without a colon the number would be taken as days, and TimeSpan's other formats take "30:00:00" as 30 days.
    private static bool TryReadSpan(string text, out TimeSpan value)
    {
        value = default;
        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParseExact(text, "c", Invariant, out value);
    }

    private static bool TryReadName<TEnum>(string text, out TEnum value)
        where TEnum : struct, Enum
    {
        string? name = Array.Find(Enum.GetNames<TEnum>(), name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        value = default;
        return name is not null && Enum.TryParse(name, out value);
    }

    private static string Format(TimeSpan value)
    {
        string text = value.ToString("c", Invariant);
        return value.Ticks % TimeSpan.TicksPerSecond == 0 ? text : text.TrimEnd('0');
    }
}
