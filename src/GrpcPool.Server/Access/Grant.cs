using GrpcPool.Core.Storage;

namespace GrpcPool.Server.Access;

/// <summary>What a call may do: that of its token. A call without one has no grant, where tokens are not asked for.</summary>
/// <param name="Name">The token's name.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Scope">The queues and kinds that it is confined to; null for all.</param>
internal sealed record Grant(string Name, Role Roles, string Namespace, TaskScope? Scope)
{
    public static Grant Of(string name, TokenOptions options)
    {
        bool confined = options.Queues.Count > 0 || options.Kinds.Count > 0;
        return new Grant(name, RoleNames.Read(options.Roles), options.Namespace, confined ? TaskScope.Of(options.Queues, options.Kinds) : null);
    }

    public bool May(Role role) => role == Role.None || (Roles & (role | Role.Admin)) != Role.None;
}
