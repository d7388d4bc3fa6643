using System.Globalization;
using GrpcPool.Chaos.Faults;
using GrpcPool.Chaos.Histories;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Scenarios;

/// <summary>What came of a run.</summary>
/// <param name="Seed">With which it is repeated.</param>
/// <param name="Deaths">How many servers died.</param>
/// <param name="Attempted">How many tasks were submitted.</param>
/// <param name="Accepted">How many of them were answered OK.</param>
/// <param name="Losses">How many attempts were lost.</param>
/// <param name="Lost">How many accepted tasks were lost.</param>
/// <param name="CheckpointedBytes">How much of the database SQLite has taken over from its log.</param>
/// <param name="Violations">What is not as promised.</param>
internal sealed record Outcome(int Seed, int Deaths, int Attempted, int Accepted, int Losses, int Lost, long CheckpointedBytes, IReadOnlyList<string> Violations)
{
    private const int ShownMax = 20;

    public static Outcome Of(int seed, Site site, History history, IReadOnlyList<TaskInfo> tasks, IReadOnlyList<string> violations)
    {
        int lost = history.Accepted.Except(tasks.Select(static task => task.Id)).Count();
        return new Outcome(seed, site.Deaths, history.Attempted.Count, history.Count, tasks.Sum(static task => task.Losses), lost, site.CheckpointedBytes, violations);
    }

    /// <summary>Runs it, and keeps the site for whoever looks into what is not as promised.</summary>
    /// <param name="site">Where it runs.</param>
    /// <param name="run">What runs.</param>
    /// <param name="broken">What comes of a run that cannot go on: the server does not start, or the tasks do not end.</param>
    public static async Task<Outcome> OfAsync(Site site, Func<Task<Outcome>> run, Func<string, Outcome> broken)
    {
        Outcome outcome;
        try
        {
            outcome = await run();
        }
        catch (Exception fault) when (fault is InvalidOperationException or TimeoutException)
        {
            outcome = broken(fault.Message);
        }

        site.Keep = outcome.Violations.Count > 0;
        return site.Keep ? outcome with { Violations = [.. outcome.Violations, $"see {site.Folder}"] } : outcome;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"seed {Seed}: {Deaths} deaths, {Attempted:n0} submitted, {Accepted:n0} accepted, {Lost:n0} of them lost, {Losses:n0} attempts lost, {CheckpointedBytes >> 20} MiB checkpointed, {Violations.Count} violations{Details}");

    private string Details => string.Concat(Violations.Take(ShownMax).Select(static violation => $"\n  {violation}"));
}
