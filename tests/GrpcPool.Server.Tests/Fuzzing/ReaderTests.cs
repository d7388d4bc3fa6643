using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;
using GrpcPool.Server.Access;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Services;
using GrpcPool.Server.Tests.Access;
using GrpcPool.Testing.Fuzzing;
using GrpcPool.V1;
using Microsoft.Extensions.Logging.Abstractions;
using TaskFilter = GrpcPool.Core.Storage.TaskFilter;

namespace GrpcPool.Server.Tests.Fuzzing;

/// <summary>What callers and operators write is read, or refused as documented, whatever it is. Whole messages have their own test: <see cref="Hostile.MutationTests"/>.</summary>
public sealed class ReaderTests
{
    private static readonly TaskFilter All = new(GrpcPoolOptions.DefaultNamespace);

    [Fact]
    public void An_address_to_listen_at() => Fuzz.Texts("addresses", static text =>
    {
        if (ListenAddress.TryParse(text, out ListenAddress? address))
            Assert.True(address.Port is >= 0 and <= 65_535 && (address.Ip is not null || address.IsAll || address.IsLocalhost));
        Assert.NotEmpty(BoundAddress.ForThisMachine(text + "x"));
    });

    [Fact]
    public void The_token_of_a_page() => Fuzz.Texts("page-tokens", static text =>
    {
        Refusable(() => Paging.Read(new ListRequest { PageToken = text }, All));
        Refusable(() => Assert.InRange(SchedulePaging.Read(new ListSchedulesRequest { PageToken = text }).After.Length, 0, 128));
        Refusable(() => WorkerPages.Read(new ListWorkersRequest { PageToken = text }, []));
    });

    [Fact]
    public void A_file_of_hashes() => Fuzz.Bytes("hashes", static bytes =>
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, bytes);
            if (TokenHash.TryReadFile(file, out IReadOnlyList<byte[]>? hashes, out string? reason))
                Assert.All(hashes, static hash => Assert.Equal(TokenHash.BytesCount, hash.Length));
            else
                Assert.NotEmpty(reason);
        }
        finally
        {
            File.Delete(file);
        }
    }, mutations: 1_000);

    /// <summary>Signed, so that what is in it is read.</summary>
    [Fact]
    public void A_json_web_token()
    {
        const string Header = """{"alg":"ES256","kid":"k"}""";
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string file = Path.GetTempFileName();
        File.WriteAllText(file, $$"""{"keys":[{{Issuer.PublicOf("k", key)}}]}""");
        var access = new AccessOptions { Jwt = { Issuer = "i", Audience = "a", KeysFile = file } };
        var book = new JwtBook(access, new JwtKeys(access, TimeProvider.System, NullLogger<JwtKeys>.Instance), TimeProvider.System);
        int granted = 0;
        Fuzz.Texts("claims", text => Check(Header, text), mutations: 2_000);
        Fuzz.Texts("jose-headers", text => Check(text, """{"iss":"i","aud":"a","sub":"s","exp":4102444800}"""), mutations: 2_000);
        File.Delete(file);
        Assert.InRange(granted, 2, int.MaxValue);

        void Check(string header, string claims)
        {
            string signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
            (Grant? grant, string? reason) = Fuzz.Now(book.FindAsync($"{signed}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}").AsTask());
            Assert.NotEqual(grant is null, reason is null);
            Assert.True(grant is null || (grant.Name.Length is > 0 and <= 128 && PoolName.IsValid(grant.Namespace)));
            granted += grant is null ? 0 : 1;
        }
    }

    [Fact]
    public void A_set_of_keys() => Fuzz.Texts("key-sets", static text => Assert.NotEqual(JwtKeys.TryParse(text, out string? reason) is null, reason is null), mutations: 2_000);

    private static void Refusable(Action read)
    {
        try
        {
            read();
        }
        catch (PoolErrorException refusal) when (refusal.Error is PoolError.InvalidFields { Violations.Count: > 0 })
        {
            // As documented.
        }
    }
}
