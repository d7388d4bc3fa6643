using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of the pool.</summary>
internal static class PoolSettings
{
    private static readonly SettingsTable<PoolOptions> Pool = new()
    {
        { "Slots", Whole(1, 100_000), o => o.Slots, (o, v) => o.Slots = v, "Slots that the server's own handlers share.", "the larger of 16 and 4 × cores" },
        { "Capacity", Whole(1, 1_000_000_000), o => o.Capacity, (o, v) => o.Capacity = v, "Waiting tasks that all queues hold together." },
        {
            "FinishedMax", Whole(0, 1_000_000_000), o => o.FinishedMax, (o, v) => o.FinishedMax = v,
            "Finished tasks that are kept; the oldest finished leave first."
        },
        {
            "DrainTimeout", Span(TimeSpan.Zero, TimeSpan.FromHours(1)), o => o.DrainTimeout, (o, v) => o.DrainTimeout = v,
            "How long running attempts may go on at a shutdown."
        },
    };

    private static readonly EntryType<GrpcPoolOptions, QueueOptions> Queue = new(null, QueueSettings.Table, o => o.Queues);

    private static readonly EntryType<GrpcPoolOptions, NamespaceOptions> Namespace = new(
        null,
        new SettingsTable<NamespaceOptions>
        {
            { "Weight", Whole(1, 1_000), o => o.Weight, (o, v) => o.Weight = v, "The namespace's share of the starts against the other namespaces, however many queues it has." },
        },
        o => o.Namespaces);

    private static readonly EntryType<GrpcPoolOptions, KindOptions> Kind = new(null, RateSettings.Kind, o => o.Kinds);

    private static readonly EntryType<GrpcPoolOptions, CommandOptions> Command = new("command", CommandSettings.Table, o => o.Commands);

    private static readonly EntryType<GrpcPoolOptions, ScheduleOptions> Schedule = new(null, ScheduleSettings.Table, o => o.Schedules);

    private static readonly EntryType<GrpcPoolOptions, HttpHandlerOptions> Http = new("http", HttpHandlerSettings.Table, o => o.HttpHandlers);

    public static SettingsTable<GrpcPoolOptions> Table { get; } = new()
    {
        { "Pool", Pool, o => o.Pool },
        new EntriesSetting<GrpcPoolOptions>("Queues", "<queue>", Queue),
        new EntriesSetting<GrpcPoolOptions>("Namespaces", "<namespace>", Namespace),
        new EntriesSetting<GrpcPoolOptions>("Kinds", "<kind>", Kind),
        new EntriesSetting<GrpcPoolOptions>("Handlers", "<kind>", Command, Http),
        new EntriesSetting<GrpcPoolOptions>("Schedules", "<id>", Schedule),
        { "BuiltInKinds", Flag, o => o.BuiltInKinds, (o, v) => o.BuiltInKinds = v, "Whether the kinds echo, sleep and fail exist." },
        {
            "UndeclaredKinds", OneOf<UndeclaredKinds>(), o => o.UndeclaredKinds, (o, v) => o.UndeclaredKinds = v,
            "Whether tasks of a kind that nobody has declared are refused or wait."
        },
        { "Storage", StorageSettings.Table, o => o.Storage },
        { "Retry", RetrySettings.Table, o => o },
        { "Workers", WorkerSettings.Table, o => o.Workers },
        { "Limits", LimitSettings.Table, o => o.Limits },
        CheckDefaultQueue,
        CheckQueueCount,
        HandlerSettings.CheckHandlers,
        HandlerSettings.CheckKinds,
        CheckOutputs,
        ScheduleSettings.CheckAll,
    };

    /// <summary>Checks options of any origin.</summary>
    /// <exception cref="SettingsException">Some are wrong; all violations are in its message.</exception>
    public static void Validate(GrpcPoolOptions options)
    {
        var violations = new Violations();
        Table.Check(options, "", violations);
        violations.ThrowIfAny();
    }

    private static void CheckDefaultQueue(GrpcPoolOptions options, string path, Violations violations)
    {
        if (!options.Queues.ContainsKey(GrpcPoolOptions.DefaultQueue))
            violations.Add($"Queues:{GrpcPoolOptions.DefaultQueue}", "is missing; it stands for the queues that are not named, so put it back.");
    }

    private static void CheckQueueCount(GrpcPoolOptions options, string path, Violations violations)
    {
        if (options.Queues.Count > options.Limits.Queues)
        {
            violations.Across(
                ["Queues", "Limits:Queues"],
                $"names {options.Queues.Count} queues, more than Limits:Queues ({options.Limits.Queues}); raise that or name fewer.");
        }
    }

    private static void CheckOutputs(GrpcPoolOptions options, string path, Violations violations)
    {
        foreach ((string kind, CommandOptions command) in options.Commands)
        {
            if (command.OutputBytesMax > options.Limits.ResultBytesMax)
                violations.Across(
                    [$"Handlers:{kind}:OutputBytesMax", "Limits:ResultBytesMax"],
                    $"is \"{command.OutputBytesMax}\", more than Limits:ResultBytesMax ({options.Limits.ResultBytesMax}); " +
                    "lower it, raise that, or leave it out.");
        }
    }
}
