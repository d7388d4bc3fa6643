using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace GrpcPool.Client.Tests.Infrastructure;

/// <summary>An authority that lives as long as a test, and what it certifies.</summary>
internal sealed class Authority
{
    private static readonly DateTimeOffset From = TimeProvider.System.GetUtcNow().AddDays(-1), To = From.AddDays(2);

    private readonly X509Certificate2 _own;
    private readonly DirectoryInfo _folder;

    public Authority(DirectoryInfo folder)
    {
        _folder = folder;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _own = request.CreateSelfSigned(From, To);
        File = Write($"{_own.Thumbprint}.pem", _own.ExportCertificatePem());
    }

    public string File { get; }

    public X509Certificate2 Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 issued = request.Create(_own, From, To.AddHours(-1), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }

    /// <summary>The certificate and its key, as files.</summary>
    public (string Certificate, string Key) IssueFiles(string name)
    {
        using X509Certificate2 issued = Issue(name);
        using ECDsa key = issued.GetECDsaPrivateKey()!;
        return (Write($"{name}.pem", issued.ExportCertificatePem()), Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder.FullName, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
