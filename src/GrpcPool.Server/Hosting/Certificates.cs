using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Hosting;

/// <summary>The certificates in force, from files that may change. Connections that stand keep those that they began with. Thread-safe.</summary>
internal sealed class Certificates : IReloaded
{
    private readonly TlsOptions _options;
    private readonly ILogger _log;
    private string _loaded;
    private string? _refused;
    private volatile SslServerAuthenticationOptions? _current;

    public Certificates(ListenOptions listen, ILogger<Certificates> log)
    {
        (_options, _log) = (listen.Tls, log);
        (_loaded, SslServerAuthenticationOptions? loaded, string? fault) = TryLoad(_options);
        _current = fault is null ? loaded : throw new IOException($"the certificate cannot be used: {fault}");
    }

    /// <inheritdoc/>
    public bool HasFiles => _options.Certificate is not null;

    /// <summary>What a listener needs to greet its callers.</summary>
    public TlsHandshakeCallbackOptions ForHandshakes() => new() { OnConnection = _ => ValueTask.FromResult(_current!) };

    /// <inheritdoc/>
    public void Reload()
    {
        (string text, SslServerAuthenticationOptions? loaded, string? fault) = TryLoad(_options);
        if (fault is not null)
        {
            if (fault != _refused)
                Log.FileRefused(_log, _options.Certificate!, fault);
        }
        else if (text != _loaded)
        {
            (_current, _loaded) = (loaded, text);
            Log.FileReloaded(_log, _options.Certificate!);
        }

        _refused = fault;
    }

    /// <summary>Reads the files.</summary>
    /// <returns>Their texts and what they make, or why they make nothing.</returns>
    public static (string Text, SslServerAuthenticationOptions? Loaded, string? Fault) TryLoad(TlsOptions options)
    {
        if (options.Certificate is null)
            return ("", null, null);
        try
        {
            (string certificate, string key) = (File.ReadAllText(options.Certificate), File.ReadAllText(options.Key!));
            string authorities = options.ClientAuthorities is { } file ? File.ReadAllText(file) : "";
            return ($"{certificate}{key}{authorities}", Make(certificate, key, authorities), null);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return ("", null, fault.Message.TrimEnd('.'));
        }
    }

    private static SslServerAuthenticationOptions Make(string certificate, string key, string authorities)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificate);
        var made = new SslServerAuthenticationOptions
        {
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            ServerCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(certificate, key), chain, offline: true),
        };
        if (authorities.Length > 0)
        {
            made.ClientCertificateRequired = true;
            made.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            made.CertificateChainPolicy.CustomTrustStore.ImportFromPem(authorities);
            if (made.CertificateChainPolicy.CustomTrustStore.Count == 0)
                throw new CryptographicException("the file of client authorities has no certificate");
        }

        return made;
    }
}
