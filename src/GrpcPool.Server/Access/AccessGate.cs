using System.Net;
using Grpc.Core;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Services;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace GrpcPool.Server.Access;

/// <summary>
/// Where anybody is named, each call passes here before a byte of its message is read: its token, or its user, must be known, not call too often, have the role that the RPC asks for, and belong
/// to the namespace that the call names, if it does.
/// </summary>
internal sealed class AccessGate(TokenBook tokens, JwtBook signed, PeerBook peers, TimeProvider time, ILogger<AccessGate> log)
{
    private const string Scheme = "Bearer ";

    private static readonly PoolError.Unidentified Missing = new("TOKEN_MISSING", "this server asks for a token: send it as metadata, authorization: Bearer TOKEN");
    private static readonly PoolError.Unidentified Unknown = new("TOKEN_UNKNOWN", "the token is not known here (any more)");
    private static readonly PoolError.Unidentified Refused = new("TOKEN_REFUSED", "the token is not accepted here (any more): the server's log says why");

    private readonly Seldom _telling = new(time, TimeSpan.FromSeconds(1));

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Listener>()?.Kind == ListenerKind.Ops)
            return next(context);
        string? method = Refusal.MethodOf(context)?.FullName;
        RpcRule? rule = method is null ? new RpcRule(Role.None, Confined: true) : RoleTable.Find(method);
        if (method is not null && rule is { Role: Role.None })
            return next(context);
        string? token = TokenOf(context);
        if (token is not null && signed.Reads(token))
            return InvokeSignedAsync(context, next, token, method, rule);
        Grant? known = token is null ? peers.Find(context.Features.Get<Peer>()) : tokens.Find(token);
        return known is null ? Refusal.WriteAsync(context, context.Request.Headers.Authorization.Count == 0 ? Missing : Unknown) : InvokeAsync(context, next, known, method, rule);
    }

    private async Task InvokeSignedAsync(HttpContext context, RequestDelegate next, string token, string? method, RpcRule? rule)
    {
        (Grant? grant, string? reason) = tokens.Find(token) is { } known ? (known, null) : await signed.FindAsync(token).ConfigureAwait(false);
        if (grant is null && _telling.MayTell())
            Log.TokenRefused(log, context.Connection.RemoteIpAddress, reason!);
        await (grant is null ? Refusal.WriteAsync(context, Refused) : InvokeAsync(context, next, grant, method, rule)).ConfigureAwait(false);
    }

    private Task InvokeAsync(HttpContext context, RequestDelegate next, Grant grant, string? method, RpcRule? rule)
    {
        PoolError? refusal = RefuseRate(grant) ?? (PoolError?)(Refuse(grant, method ?? "", rule) ?? RefuseNamespace(grant, context));
        if (refusal is null)
            context.Features.Set(grant);
        else
            next = Denial(refusal);
        return rule is { Role: Role.Operate or Role.Admin } ? AuditAsync(context, next, grant, method!) : next(context);
    }

    /// <summary>The token that was sent; null where none was, and empty for what is no token.</summary>
    private static string? TokenOf(HttpContext context)
    {
        StringValues sent = context.Request.Headers.Authorization;
        if (sent.Count == 0)
            return null;
        return sent.Count == 1 && sent[0] is { } text && text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? text[Scheme.Length..].Trim() : "";
    }

    private static PoolError.RateExceeded? RefuseRate(Grant grant) => grant.Rate?.Take() is { } wait ? new PoolError.RateExceeded(grant.Name, wait) : null;

    private static PoolError.Denied? Refuse(Grant grant, string method, RpcRule? rule) => rule switch
    {
        null => new PoolError.Denied("ROLE_MISSING", $"no role may call {method}"),
        { Role: var role } when !grant.May(role) => new PoolError.Denied("ROLE_MISSING", $"the token {grant.Name} lacks the role {RoleNames.Of(role)}, which {method} asks for"),
        { Confined: false } when grant.Scope is not null => new PoolError.Denied("CONFINED", $"the token {grant.Name} is confined to queues or kinds, and {method} is about more than these"),
        _ => null,
    };

    private static RequestDelegate Denial(PoolError refusal) => context => Refusal.WriteAfterMessageAsync(context, refusal);

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
