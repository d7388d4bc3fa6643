using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Server.Access;
using GrpcPool.Server.Observability;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Server.Hosting;

/// <summary>All settings of the server: those of the pool, where it listens, who may use it, and what it tells of itself.</summary>
internal sealed class ServerSettings
{
    public static SettingsTable<ServerSettings> Table { get; } = new()
    {
        { PoolSettings.Table, settings => settings.Pool },
        { "Listen", ListenSettings.Table, settings => settings.Listen },
        { "Access", AccessSettings.Table, settings => settings.Access },
        { "Telemetry", TelemetrySettings.Table, settings => settings.Telemetry },
        static (settings, _, violations) => ListenSettings.CheckCredentials(settings.Listen, !settings.Access.IsOpen, violations),
        CheckPeers,
    };

    public GrpcPoolOptions Pool { get; } = new();

    public ListenOptions Listen { get; } = new();

    public AccessOptions Access { get; } = new();

    public TelemetryOptions Telemetry { get; } = new();

    private static void CheckPeers(ServerSettings settings, string path, Violations violations)
    {
        if (settings.Access.Peers.Count > 0 && settings.Listen.Socket is null)
            violations.Across(["Listen:Socket", "Access:Peers"], "is missing beside Access:Peers, whose users are known on the Unix socket alone; give its path.");
    }

    /// <summary>Reads and checks all settings.</summary>
    /// <exception cref="SettingsException">Some are wrong; all violations are in its message.</exception>
    public static ServerSettings Load(IConfiguration configuration)
    {
        var settings = new ServerSettings();
        var violations = new Violations();
        Table.Read(configuration, "", settings, violations);
        Table.Check(settings, "", violations);
        violations.ThrowIfAny();
        return settings;
    }
}
