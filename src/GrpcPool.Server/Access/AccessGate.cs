using System.Net;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Services;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace GrpcPool.Server.Access;

/// <summary>
/// Where tokens are asked for, each call passes here before a byte of its message is read: its token must be known, have the role that the RPC asks for, and belong
/// to the namespace that the call names, if it does.
/// </summary>
internal sealed class AccessGate(TokenBook tokens, ILogger<AccessGate> log)
{
    private const string Scheme = "Bearer ";

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Listener>()?.Kind == ListenerKind.Ops)
            return next(context);
        string? method = context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName;
        RpcRule? rule = method is null ? new RpcRule(Role.None, Confined: true) : RoleTable.Find(method);
        if (method is not null && rule is { Role: Role.None })
            return next(context);
        if (Identify(context, out PoolError unidentified) is not { } grant)
            return Refusal.WriteAsync(context, unidentified);
        PoolError? refusal = Refuse(grant, method ?? "", rule) ?? RefuseNamespace(grant, context);
        if (refusal is null)
            context.Features.Set(grant);
        else
            next = Denial(refusal);
        return rule is { Role: Role.Operate or Role.Admin } ? AuditAsync(context, next, grant, method!) : next(context);
    }

    /// <summary>Whose call it is; null where that is not known.</summary>
    private Grant? Identify(HttpContext context, out PoolError refusal)
    {
        refusal = new PoolError.Unidentified("TOKEN_MISSING", "this server asks for a token: send it as metadata, authorization: Bearer TOKEN");
        StringValues sent = context.Request.Headers.Authorization;
        if (sent.Count != 1 || sent[0] is not { } text || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        refusal = new PoolError.Unidentified("TOKEN_UNKNOWN", "the token is not known here (any more)");
        return tokens.Find(text[Scheme.Length..].Trim());
    }

    private static PoolError.Denied? Refuse(Grant grant, string method, RpcRule? rule) => rule switch
    {
        null => new PoolError.Denied("ROLE_MISSING", $"no role may call {method}"),
        { Role: var role } when !grant.May(role) => new PoolError.Denied("ROLE_MISSING", $"the token {grant.Name} lacks the role {RoleNames.Of(role)}, which {method} asks for"),
        { Confined: false } when grant.Scope is not null => new PoolError.Denied("CONFINED", $"the token {grant.Name} is confined to queues or kinds, and {method} is about more than these"),
        _ => null,
    };

    private static RequestDelegate Denial(PoolError refusal) => context => Refusal.WriteAsync(context, refusal);

    private static PoolError.Denied? RefuseNamespace(Grant grant, HttpContext context) =>
        context.Request.Headers.TryGetValue(Caller.NamespaceKey, out StringValues named) && named.Count > 0 && named.ToString() != grant.Namespace
            ? new PoolError.Denied("WRONG_NAMESPACE", $"the token {grant.Name} belongs to the namespace {grant.Namespace}: name that one, or leave {Caller.NamespaceKey} out")
            : null;

    private async Task AuditAsync(HttpContext context, RequestDelegate next, Grant grant, string method)
    {
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            (IPAddress? from, StatusCode outcome) = (context.Connection.RemoteIpAddress, Refusal.OutcomeOf(context));
            Log.Audited(log, grant.Name, grant.Namespace, from, method, outcome);
        }
    }
}
