using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>How workers are looked after.</summary>
internal static class WorkerSettings
{
    private static readonly EntryType<WorkerOptions, WorkerProcessOptions> Process = new(null, WorkerProcessSettings.Table, o => o.Processes);

    public static SettingsTable<WorkerOptions> Table { get; } = new()
    {
        {
            "LeaseDuration", Span(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), o => o.LeaseDuration, (o, v) => o.LeaseDuration = v,
            "How long a worker's lease stands without a heartbeat."
        },
        {
            "HeartbeatInterval", Span(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)), o => o.HeartbeatInterval, (o, v) => o.HeartbeatInterval = v,
            "How often worker and pool tell each other that they are alive; at most half of LeaseDuration."
        },
        {
            "ResumeGrace", Span(TimeSpan.Zero, TimeSpan.FromMinutes(10)), o => o.ResumeGrace, (o, v) => o.ResumeGrace = v,
            "How long a worker whose stream broke keeps its leases until it resumes."
        },
        new EntriesSetting<WorkerOptions>("Processes", "<name>", Process),
        CheckHeartbeat,
    };

    private static void CheckHeartbeat(WorkerOptions options, string path, Violations violations)
    {
        if (options.HeartbeatInterval > options.LeaseDuration / 2)
            violations.Across(
                [$"{path}:HeartbeatInterval", $"{path}:LeaseDuration"],
                $"is \"{options.HeartbeatInterval:c}\", more than half of {path}:LeaseDuration ({options.LeaseDuration:c}): one late heartbeat would lose the lease; lower it, or raise that.");
    }
}
