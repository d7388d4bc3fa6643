namespace GrpcPool.Server.Hosting;

/// <summary>With what the server proves who it is to those who call it by <c>https://</c>, and whom it takes for a caller. The files are read again when they change.</summary>
public sealed class TlsOptions
{
    /// <summary>The path of the certificate in PEM, followed by those that lead to its authority; null (the default) for no TLS.</summary>
    public string? Certificate { get; set; }

    /// <summary>The path of its private key in PEM, not encrypted.</summary>
    public string? Key { get; set; }

    /// <summary>The path of the authorities in PEM of which a caller must show a certificate; null (the default): none is asked for.</summary>
    public string? ClientAuthorities { get; set; }
}
