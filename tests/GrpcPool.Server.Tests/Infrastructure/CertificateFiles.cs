using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>An authority that lives as long as a test, and a certificate of 127.0.0.1 and localhost, in files.</summary>
internal sealed class CertificateFiles : IDisposable
{
    private static readonly DateTimeOffset From = TimeProvider.System.GetUtcNow().AddDays(-1), To = From.AddDays(3);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-tls-");
    private readonly X509Certificate2 _authority;

    public CertificateFiles()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=authority of {_folder.Name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(From, To);
        File.WriteAllText(Authority, _authority.ExportCertificatePem());
        Renew();
    }

    public string Authority => Path.Combine(_folder.FullName, "authority.pem");

    public string Certificate => Path.Combine(_folder.FullName, "server.pem");

    public string Key => Path.Combine(_folder.FullName, "server.key");

    public (string, string)[] Settings => [("Listen:Tls:Certificate", Certificate), ("Listen:Tls:Key", Key)];

    /// <summary>Puts a new certificate in the place of the one there is.</summary>
    /// <returns>Its serial number.</returns>
    public string Renew()
    {
        using X509Certificate2 issued = Issue("localhost");
        using ECDsa key = issued.GetECDsaPrivateKey()!;
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Certificate, issued.ExportCertificatePem());
        return issued.SerialNumber;
    }

    /// <summary>A certificate of this authority, with its key.</summary>
    public X509Certificate2 Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 issued = request.Create(_authority, From, To.AddHours(-1), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }
}
