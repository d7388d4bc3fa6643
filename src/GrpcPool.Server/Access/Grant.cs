using GrpcPool.Core.Storage;

namespace GrpcPool.Server.Access;

/// <summary>What a call may do: that of its token, or of its user. A call without one has no grant, where nobody is named.</summary>
/// <param name="Name">The name of the token or the user.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Scope">The queues and kinds that it is confined to; null for all.</param>
/// <param name="Rate">How often it may call; null for no limit.</param>
/// <param name="Worker">The name of the one worker as which it may come; null for any.</param>
internal sealed record Grant(string Name, Role Roles, string Namespace, TaskScope? Scope, CallRate? Rate = null, string? Worker = null)
{
    public static Grant Of(string name, GrantOptions options, TimeProvider time)
    {
        bool confined = options.Queues.Count > 0 || options.Kinds.Count > 0;
        return new Grant(name, RoleNames.Read(options.Roles), options.Namespace, confined ? TaskScope.Of(options.Queues, options.Kinds) : null, CallRate.Of(options.Rate, time));
    }

    public bool May(Role role) => role == Role.None || (Roles & (role | Role.Admin)) != Role.None;
}
