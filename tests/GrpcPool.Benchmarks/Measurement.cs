using System.Globalization;

namespace GrpcPool.Benchmarks;

/// <summary>One line of the table: what came out of several rounds, and what was asked for.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Must">The bound.</param>
/// <param name="Aim">What would be better still.</param>
/// <param name="Samples">One per round.</param>
/// <param name="Unit">Empty for a ratio.</param>
/// <param name="LessIsBetter">Whether the bound is an upper one.</param>
/// <param name="Absolute">The figures behind the ratio, for a person.</param>
internal sealed record Measurement(string Name, double Must, double Aim, IReadOnlyList<double> Samples, string Unit = "", bool LessIsBetter = false, string Absolute = "")
{
    public double Median => MedianOf(Samples);

    public double Least => Samples.Min();

    public double Most => Samples.Max();

    public bool Met => LessIsBetter ? Median <= Must : Median >= Must;

    public static double MedianOf(IEnumerable<double> samples)
    {
        double[] sorted = [.. samples.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    public static string Text(double value) => value.ToString(value >= 100 ? "N0" : "0.00", CultureInfo.InvariantCulture);
}

/// <summary>Measures one thing in alternation with its limit.</summary>
internal interface IBenchmark
{
    string Name { get; }

    Task<IReadOnlyList<Measurement>> RunAsync(Effort effort);
}

/// <summary>How much is done.</summary>
/// <param name="Rounds">How often each thing and its limit are measured in turn.</param>
/// <param name="WarmCalls">How many calls each server gets before anything counts.</param>
/// <param name="Calls">Unary calls per measurement.</param>
/// <param name="WaitingTasks">How many tasks wait where a backlog is measured.</param>
/// <param name="Rows">How many rows there are where a large database is measured.</param>
internal sealed record Effort(int Rounds, int WarmCalls, int Calls, int WaitingTasks, int Rows)
{
    /// <summary>The published native program; null where only the one under JIT is measured.</summary>
    public string? Native { get; init; }

    public static readonly Effort Full = new(Rounds: 5, WarmCalls: 500_000, Calls: 200_000, WaitingTasks: 1_000_000, Rows: 10_000_000);

    /// <summary>To see whether everything works; the figures mean little.</summary>
    public static readonly Effort Quick = new(Rounds: 3, WarmCalls: 50_000, Calls: 50_000, WaitingTasks: 100_000, Rows: 200_000);
}
