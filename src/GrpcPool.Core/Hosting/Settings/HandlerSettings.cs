using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings that handlers of every type have, and the rule that a kind has one handler.</summary>
internal static class HandlerSettings
{
    private const string Section = "Handlers";

    private static readonly string[] BuiltIns = ["echo", "sleep", "fail"];

    public static ValueRule<TimeSpan> RunTimeout { get; } = Span(TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(30));

    public static SettingsTable<HandlerOptions> Table { get; } = new()
    {
        {
            "RunTimeout", Optional(RunTimeout), o => o.RunTimeout, (o, v) => o.RunTimeout = v,
            "The longest attempt."
        },
        {
            "KillAfter", Span(TimeSpan.Zero, TimeSpan.FromHours(1)), o => o.KillAfter, (o, v) => o.KillAfter = v,
            "How long after SIGTERM a timed-out attempt is killed."
        },
    };

    /// <summary>Checks the handlers that the host brings.</summary>
    public static void CheckHandlers(GrpcPoolOptions options, string path, Violations violations)
    {
        foreach (HandlerRegistration handler in options.Handlers)
        {
            if (!PoolName.IsValid(handler.Kind))
                violations.Add($"{Section}:{handler.Kind}", $"has a name that is not allowed; give {PoolName.Rule}.");
            Table.Check(handler.Options, $"{Section}:{handler.Kind}", violations);
        }
    }

    public static void CheckKinds(GrpcPoolOptions options, string path, Violations violations)
    {
        foreach (IGrouping<string, string> kind in Claims(options).GroupBy(claim => claim.Kind, claim => claim.By).Where(kind => kind.Count() > 1))
            violations.Add($"{Section}:{kind.Key}", $"has more than one handler: {string.Join(" and ", kind)}; keep one of them.");
    }

    private static IEnumerable<(string Kind, string By)> Claims(GrpcPoolOptions options) =>
    [
        .. BuiltIns.Where(_ => options.BuiltInKinds).Select(kind => (kind, "the built-in one (unless BuiltInKinds is false)")),
        .. options.Commands.Select(command => (command.Key, $"the command {command.Value.Command}")),
        .. options.HttpHandlers.Select(handler => (handler.Key, $"the address {handler.Value.Url}")),
        .. options.Handlers.Select(handler => (handler.Kind, handler.Name)),
    ];
}
