using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;

namespace GrpcPool.Benchmarks;

/// <summary>The outcome of a run, for a person and for a program.</summary>
internal static class Report
{
    public static void Print(IEnumerable<Measurement> measurements)
    {
        var table = new Table().AddColumns("measured", "median", "least … most", "must", "aim", "", "figures").Border(TableBorder.Markdown);
        foreach (Measurement one in measurements)
        {
            string sign = one.LessIsBetter ? "≤ " : "≥ ";
            (string must, string met) = double.IsInfinity(one.Must) ? ("", "") : (sign + Value(one.Must, one), one.Met ? "met" : "missed");
            table.AddRow(
                Markup.Escape(one.Name), Value(one.Median, one), $"{Measurement.Text(one.Least)} … {Measurement.Text(one.Most)}",
                must, sign + Value(one.Aim, one), met, Markup.Escape(one.Absolute));
        }

        AnsiConsole.Profile.Width = 250;
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}"));
    }

    public static Task WriteAsync(string path, IReadOnlyList<Measurement> measurements) =>
        File.WriteAllTextAsync(path, JsonSerializer.Serialize(measurements, ReportJson.Default.IReadOnlyListMeasurement));

    private static string Value(double value, Measurement one) => Measurement.Text(value) + one.Unit;
}

[JsonSourceGenerationOptions(WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(IReadOnlyList<Measurement>))]
internal sealed partial class ReportJson : JsonSerializerContext;
