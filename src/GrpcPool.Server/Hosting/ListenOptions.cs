namespace GrpcPool.Server.Hosting;

/// <summary>
/// Where the server listens. Addresses are of the form <c>http://host:port</c> or, with <see cref="Tls"/>, <c>https://host:port</c>; the host is an IP address, <c>localhost</c>, or <c>*</c> for
/// all; port 0 is any free port.
/// </summary>
public sealed class ListenOptions
{
    /// <summary>
    /// The address of gRPC, <c>http://127.0.0.1:50051</c> by default; empty for the <see cref="Socket"/> alone. Loopback only, unless <see cref="AllowInsecure"/>.
    /// </summary>
    public string Grpc { get; set; } = "http://127.0.0.1:50051";

    /// <summary>The path of a Unix socket for gRPC, absolute and at most 107 bytes long; null (the default) for none. Its mode is 0660.</summary>
    public string? Socket { get; set; }

    /// <summary>The address of HTTP, <c>http://127.0.0.1:8080</c> by default; empty for none. Loopback only, unless <see cref="AllowInsecure"/>.</summary>
    public string Http { get; set; } = "http://127.0.0.1:8080";

    /// <summary>The address of the endpoints for operators, such as <c>/readyz</c>; <c>http://*:9090</c> by default; empty for none.</summary>
    public string Ops { get; set; } = "http://*:9090";

    /// <summary>The certificates of <see cref="Grpc"/> and <see cref="Http"/>, where these are addresses of https: each then serves HTTP/2 and HTTP/1.1.</summary>
    public TlsOptions Tls { get; } = new();

    /// <summary>
    /// Whether <see cref="Grpc"/> and <see cref="Http"/> may be open to other hosts, without encryption and without a password. False by default.
    /// </summary>
    public bool AllowInsecure { get; set; }
}
