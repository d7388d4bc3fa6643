namespace GrpcPool.Server.Access;

/// <summary>What a token may do. <see cref="RoleTable"/> says which role each RPC asks for.</summary>
[Flags]
internal enum Role
{
    /// <summary>Nothing is asked for: open to everybody, also without a token.</summary>
    None = 0,

    /// <summary>Submit tasks, and cancel one.</summary>
    Submit = 1,

    /// <summary>See tasks, with payload, result and log, and how the pool is.</summary>
    Read = 2,

    /// <summary>Execute tasks.</summary>
    Work = 4,

    /// <summary>Change the tasks of the namespace: many at once, again, for ever.</summary>
    Operate = 8,

    /// <summary>Change what holds for the whole server; contains all other roles.</summary>
    Admin = 16,
}

/// <summary>The names of roles, as settings and messages have them.</summary>
internal static class RoleNames
{
    public static readonly string[] All = [.. Enum.GetValues<Role>().Where(static role => role != Role.None).Select(Of)];

    public static string Of(Role role) => role.ToString().ToLowerInvariant();

    public static bool IsKnown(string name) => All.Contains(name);

    public static Role Read(IEnumerable<string> names) => names.Aggregate(Role.None, static (roles, name) => roles | Enum.Parse<Role>(name, ignoreCase: true));
}
