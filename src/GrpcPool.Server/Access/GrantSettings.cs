using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Core.Tasks;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Server.Access;

/// <summary>The settings of what somebody may do.</summary>
internal static class GrantSettings
{
    public static SettingsTable<GrantOptions> Table { get; } = new()
    {
        new ListSetting<GrantOptions>("Roles", o => o.Roles, "What the bearer may do: submit, read, work, operate, and admin, which contains the others."),
        { "Namespace", Text(PoolName.Rule, PoolName.IsValid), o => o.Namespace, (o, v) => o.Namespace = v, "The namespace that the bearer belongs to." },
        new ListSetting<GrantOptions>("Queues", o => o.Queues, "The queues that the bearer is confined to; empty for all."),
        new ListSetting<GrantOptions>("Kinds", o => o.Kinds, "The kinds that the bearer is confined to; empty for all."),
        { "Rate", RateSettings.Of("Calls that may be made in each Per; none for no limit.", "Tokens that are saved up while nobody calls."), o => o.Rate },
        CheckRoles,
        CheckConfinement,
    };

    private static void CheckRoles(GrantOptions options, string path, Violations violations)
    {
        string known = string.Join(", ", RoleNames.All);
        if (options.Roles.Count == 0)
            violations.Add($"{path}:Roles", $"is empty, so that its bearer could do nothing; give at least one of {known}.");
        else if (options.Roles.Find(static role => !RoleNames.IsKnown(role)) is { } unknown)
            violations.Add($"{path}:Roles", $"has \"{unknown}\", which is no role; give some of {known}.");
    }

    private static void CheckConfinement(GrantOptions options, string path, Violations violations)
    {
        foreach ((string key, List<string> names) in (ReadOnlySpan<(string, List<string>)>)[("Queues", options.Queues), ("Kinds", options.Kinds)])
        {
            if (names.Find(static name => !PoolName.IsValid(name)) is { } wrong)
                violations.Add($"{path}:{key}", $"has \"{wrong}\", which is no name; give names of {PoolName.Rule}.");
        }
    }
}
