using System.Globalization;
using System.Text.RegularExpressions;
using GrpcPool.Server.Tests.Infrastructure;

namespace GrpcPool.Server.Tests.Observability;

/// <summary>What a server has answered at <c>/metrics</c>.</summary>
internal sealed partial class Scrape
{
    private readonly (string Name, Dictionary<string, string> Labels, double Value)[] _samples;

    private Scrape(string text) => _samples = [.. text.Split('\n').Where(static line => line.Length > 0 && line[0] != '#').Select(Read)];

    public IEnumerable<string> Names => _samples.Select(static sample => sample.Name).Distinct();

    public IEnumerable<string> Labels => _samples.SelectMany(static sample => sample.Labels.Keys).Distinct();

    public static async Task<Scrape> OfAsync(ServerProcess server)
    {
        using var http = new HttpClient();
        return new Scrape(await http.GetStringAsync(new Uri(server.OpsAddress!, "/metrics"), TestContext.Current.CancellationToken));
    }

    /// <summary>The value of the only sample of a name that has these labels.</summary>
    public double Value(string name, params (string Name, string Value)[] labels) => Assert.Single(All(name, labels)).Value;

    /// <summary>The samples of a name that have these labels.</summary>
    public (Dictionary<string, string> Labels, double Value)[] All(string name, params (string Name, string Value)[] labels) =>
        [.. _samples.Where(sample => sample.Name == name && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value)).Select(static sample => (sample.Labels, sample.Value))];

    private static (string Name, Dictionary<string, string> Labels, double Value) Read(string line)
    {
        Match match = Sample().Match(line);
        Assert.True(match.Success, line);
        return (match.Groups[1].Value, Label().Matches(match.Groups[2].Value).ToDictionary(static label => label.Groups[1].Value, static label => label.Groups[2].Value),
            double.Parse(match.Groups[3].Value.Replace("+Inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^(\w+)(?:\{(.*)\})? (\S+)(?: \d+)?$")]
    private static partial Regex Sample();

    [GeneratedRegex("""(\w+)="((?:[^"\\]|\\.)*)["]""")]
    private static partial Regex Label();
}
