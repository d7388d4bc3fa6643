using GrpcPool.Core.Hosting.Settings;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Server.Hosting;

/// <summary>The settings of TLS.</summary>
internal static class TlsSettings
{
    private static readonly ValueRule<string?> FilePath = OptionalText("the absolute path of a file in PEM", Path.IsPathFullyQualified);

    public static SettingsTable<TlsOptions> Table { get; } = new()
    {
        { "Certificate", FilePath, o => o.Certificate, (o, v) => o.Certificate = v, "The certificate of addresses of https, and those that lead to its authority; read again when it changes." },
        { "Key", FilePath, o => o.Key, (o, v) => o.Key = v, "Its private key." },
        { "ClientAuthorities", FilePath, o => o.ClientAuthorities, (o, v) => o.ClientAuthorities = v, "The authorities of which callers must show a certificate; none is asked for without." },
        CheckFiles,
    };

    private static void CheckFiles(TlsOptions options, string path, Violations violations)
    {
        if ((options.Certificate is null) != (options.Key is null))
        {
            (string missing, string given) = options.Key is null ? ("Key", "Certificate") : ("Certificate", "Key");
            violations.Across([$"{path}:{missing}", $"{path}:{given}"], $"is missing beside {path}:{given}; give both or none.");
        }
        else if (options.Certificate is null && options.ClientAuthorities is not null)
        {
            violations.Across([$"{path}:Certificate", $"{path}:ClientAuthorities"], $"is missing beside {path}:ClientAuthorities; give it and {path}:Key, or leave that out.");
        }
        else if (options.Certificate is not null && Certificates.TryLoad(options) is { Fault: { } fault })
        {
            violations.Across([$"{path}:Certificate", $"{path}:Key", $"{path}:ClientAuthorities"], $"cannot be used: {fault}; give files in PEM that go together.");
        }
    }
}
