using Grpc.Core;
using Microsoft.Extensions.Primitives;

namespace GrpcPool.Server.Services;

/// <summary>What a call says of its caller.</summary>
internal static class Caller
{
    private const string NamespaceKey = "grpcpool-namespace";
    private const string DefaultNamespace = "default";

    public static string Namespace(ServerCallContext context)
    {
        // The call's own metadata would first be made of all its headers.
        if (!context.GetHttpContext().Request.Headers.TryGetValue(NamespaceKey, out StringValues values) || values.Count == 0)
            return DefaultNamespace;
        string name = values.ToString();
        var checks = new FieldChecks();
        checks.Name(name, NamespaceKey);
        checks.ThrowIfAny();
        return name;
    }

    /// <summary>Who calls, for a log: the name that the host knows him by, if it does, and where he is.</summary>
    public static string Describe(ServerCallContext context) =>
        context.GetHttpContext().User.Identity?.Name is { Length: > 0 } name ? $"{name} at {context.Peer}" : context.Peer;
}
