using GrpcPool.Core.Workers.Processes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Server.Hosting;

/// <summary>
/// Where processes on this machine reach the server's gRPC: by its address or, where that is off or encrypted, by its socket, if it has one. In a host of another make, the first address it has.
/// </summary>
internal sealed class BoundAddress(IServiceProvider host) : IServerAddress
{
    private const string SocketScheme = "http://unix:";

    public string? Find()
    {
        if (host.GetService<ListenOptions>() is { Socket: not null } listen && (listen.Grpc.Length == 0 || listen.Tls.Certificate is not null))
            return $"unix:{listen.Socket}";
        string? first = host.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault();
        return first is null ? null : ForThisMachine(first);
    }

    /// <summary>An address that stands for several is none to dial.</summary>
    internal static string ForThisMachine(string bound)
    {
        if (bound.StartsWith(SocketScheme, StringComparison.Ordinal))
            return $"unix:{bound[SocketScheme.Length..]}";
        return ListenAddress.TryParse(bound, out ListenAddress? address) && (address.IsAll || address.IsLocalhost)
            ? address.IsTls ? $"https://localhost:{address.Port}" : $"http://127.0.0.1:{address.Port}"
            : bound;
    }
}
