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
}
