using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of where tasks are kept.</summary>
internal static class StorageSettings
{
    private static readonly ValueRule<StorageType> Types = OneOf<StorageType>() with { Text = "sqlite or memory", Format = static type => type.ToString().ToLowerInvariant() };

    public static SettingsTable<StorageOptions> Table { get; } = new()
    {
        { "Type", Types, o => o.Type, (o, v) => o.Type = v, "Where tasks are kept: in a database on disk, or in memory, where they end with the process." },
        { "Path", Text("the path of a file", static path => path.Length > 0), o => o.Path, (o, v) => o.Path = v, "The file of the database; its folder is made where it is missing." },
        {
            "Synchronous", OneOf<Synchronous>(), o => o.Synchronous, (o, v) => o.Synchronous = v,
            "When a commit counts as done: with Full it survives a loss of power, with Normal and Off that may take the newest commits, with Off it may damage the database."
        },
    };
}
