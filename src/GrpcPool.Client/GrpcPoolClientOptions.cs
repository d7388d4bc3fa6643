namespace GrpcPool.Client;

/// <summary>
/// Where the server is, who calls it, and how long trouble is borne. Read once, when the <see cref="GrpcPoolClient"/> is made; later changes have no effect.
/// </summary>
public sealed class GrpcPoolClientOptions
{
    /// <summary>The server's address: <c>http://…</c>, <c>https://…</c>, or a Unix socket as <c>unix:/path</c>. By default <c>http://127.0.0.1:50051</c>.</summary>
    public Uri Address { get; set; } = new("http://127.0.0.1:50051");

    /// <summary>
    /// Sent with each call as <c>authorization: Bearer …</c>: visible ASCII. Null, the default: none. Never sent in clear text to another machine, unless
    /// <see cref="AllowInsecureToken"/> says so.
    /// </summary>
    public string? Token { get; set; }

    /// <summary>Whether the token may go to another machine in clear text, where anybody on the way can read it. False by default.</summary>
    public bool AllowInsecureToken { get; set; }

    /// <summary>The namespace of all calls: 1 to 64 of <c>[a-z0-9._-]</c>. Null, the default: the server's choice, which is <c>default</c>.</summary>
    public string? Namespace { get; set; }

    /// <summary>A PEM file with the authorities that may have signed the server's certificate. Null, the default: those that the machine trusts.</summary>
    public string? CaCertificateFile { get; set; }

    /// <summary>A PEM file with the client's certificate and what leads from it to its authority, for mutual TLS. Null, the default: none.</summary>
    public string? ClientCertificateFile { get; set; }

    /// <summary>A PEM file with the unencrypted private key of <see cref="ClientCertificateFile"/>. Set with it, or not at all.</summary>
    public string? ClientKeyFile { get; set; }

    /// <summary>
    /// How long a call is repeated whose server is out of reach (UNAVAILABLE, a broken connection), or is full and says when to try again (RESOURCE_EXHAUSTED).
    /// 0 or more; 0: never; <see cref="Timeout.InfiniteTimeSpan"/>: without end. 1 minute by default.
    /// </summary>
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long at a stretch a server may be out of reach before whoever waits for a task, or watches, gets the error. 0 or more; 0: not at all.
    /// <see cref="Timeout.InfiniteTimeSpan"/>, the default: waiting goes on until it is cancelled.
    /// </summary>
    public TimeSpan ReconnectFor { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>A connection with calls under way whose other side is gone without a word is noticed after this time without a byte, and …</summary>
    internal TimeSpan PingAfter { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>… this time without an answer to a ping.</summary>
    internal TimeSpan PingTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
