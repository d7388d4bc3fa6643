using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Server.Tests.Hosting;

public sealed class ListenSettingsTests
{
    [Fact]
    public void Defaults_obey_the_rules() => Assert.Equal("http://127.0.0.1:50051", Load().Grpc);

    [Theory]
    [InlineData("127.0.0.1:50051")]
    [InlineData("https://127.0.0.1:50051")]
    [InlineData("http://127.0.0.1")]
    [InlineData("http://127.0.0.1:65536")]
    [InlineData("http://127.0.0.1:-1")]
    [InlineData("http://127.0.0.1:50051/path")]
    [InlineData("http://127.1:50051")]
    [InlineData("http://::1:50051")]
    [InlineData("http://[127.0.0.1]:50051")]
    [InlineData("http://example.org:50051")]
    [InlineData("http://localhost:0")]
    public void What_is_no_address_is_refused(string address) =>
        Assert.StartsWith($"Listen:Grpc is \"{address}\"; give http://host:port", Refuse(("Listen:Grpc", address)));

    [Theory]
    [InlineData("http://127.0.0.1:0")]
    [InlineData("http://127.8.9.10:6000")]
    [InlineData("http://[::1]:6000")]
    [InlineData("http://LocalHost:6000/")]
    public void Loopback_addresses_are_allowed(string address) => Assert.Equal(address, Load(("Listen:Grpc", address)).Grpc);

    [Theory]
    [InlineData("Grpc", "http://0.0.0.0:6000")]
    [InlineData("Grpc", "http://*:6000")]
    [InlineData("Http", "http://+:6000")]
    [InlineData("Http", "http://[::]:6000")]
    [InlineData("Http", "http://192.168.1.2:6000")]
    public void Addresses_open_to_other_hosts_need_to_be_accepted(string key, string address)
    {
        string line = Refuse(($"Listen:{key}", address));
        Assert.StartsWith($"Listen:{key} is \"{address}\", which other hosts reach without encryption", line);
        Assert.EndsWith("http://127.0.0.1:6000, or accept that with Listen:AllowInsecure = true.", line);
        Assert.True(Load(($"Listen:{key}", address), ("Listen:AllowInsecure", "true")).AllowInsecure);
    }

    [Theory]
    [InlineData("Grpc")]
    [InlineData("Http")]
    public void An_encrypted_address_that_other_hosts_reach_needs_credentials(string key)
    {
        using var files = new CertificateFiles();
        (string, string)[] tls = [($"Listen:{key}", "https://*:6000"), .. files.Settings];
        Assert.StartsWith($"Listen:{key} is \"https://*:6000\", which other hosts reach without a password; name tokens in Access:Tokens", Refuse(tls));
        (string, string)[] token = [("Access:Tokens:web:Hash", new string('a', 64)), ("Access:Tokens:web:Roles:0", "read")];
        Assert.Equal(files.Certificate, Load([.. tls, .. token]).Tls.Certificate);
        Assert.NotNull(Load([.. tls, ("Listen:Tls:ClientAuthorities", files.Authority)]).Tls.ClientAuthorities);
        Assert.True(Load([.. tls, ("Listen:AllowInsecure", "true")]).AllowInsecure);
        Assert.StartsWith($"Listen:{key} is \"http://*:6000\", which other hosts reach without encryption", Refuse([($"Listen:{key}", "http://*:6000"), .. token]));
    }

    [Fact]
    public void A_certificate_and_its_key_go_together_and_are_for_an_address_of_https()
    {
        using CertificateFiles files = new(), others = new();
        Assert.StartsWith("Listen:Tls:Key is missing beside Listen:Tls:Certificate;", Refuse(("Listen:Grpc", "https://127.0.0.1:6000"), files.Settings[0]));
        Assert.StartsWith("Listen:Tls:Certificate cannot be used:", Refuse(("Listen:Grpc", "https://127.0.0.1:6000"), files.Settings[0], ("Listen:Tls:Key", others.Key)));
        Assert.StartsWith("Listen:Tls:Certificate is given, but no address uses it;", Refuse(files.Settings));
        Assert.StartsWith("Listen:Ops is \"https://*:9090\"; give http://host:port", Refuse([("Listen:Ops", "https://*:9090")]));
    }

    [Fact]
    public void Http_and_ops_can_be_turned_off()
    {
        ListenOptions listen = Load(("Listen:Http", ""), ("Listen:Ops", ""));
        Assert.Equal(("", ""), (listen.Http, listen.Ops));
    }

    [Theory]
    [InlineData("http://127.0.0.1:50051", false)]
    [InlineData("http://localhost:50051", false)]
    [InlineData("http://127.0.0.2:50051", true)]
    [InlineData("http://127.0.0.1:0", true)]
    public void One_port_is_not_taken_twice(string http, bool allowed)
    {
        if (allowed)
            Load(("Listen:Http", http));
        else
            Assert.StartsWith($"Listen:Http is \"{http}\", whose port Listen:Grpc takes already;", Refuse(("Listen:Http", http)));
    }

    [Fact]
    public void A_port_on_all_addresses_is_taken_on_each() =>
        Assert.StartsWith("Listen:Ops is \"http://*:8080\", whose port Listen:Http takes already;", Refuse(("Listen:Ops", "http://*:8080")));

    [Fact]
    public void A_socket_has_an_absolute_path_that_fits_its_address()
    {
        Assert.Contains("Listen:Socket", Refuse(("Listen:Socket", "run/grpcpool.sock")), StringComparison.Ordinal);
        Assert.Contains("at most 107 bytes", Refuse(("Listen:Socket", "/" + new string('s', 107))), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_an_address_of_gRPC_there_is_a_socket()
    {
        Assert.Empty(Load(("Listen:Grpc", ""), ("Listen:Socket", "/run/grpcpool.sock")).Grpc);
        Assert.StartsWith("Listen:Grpc is empty, and so is Listen:Socket", Refuse(("Listen:Grpc", "")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://[::]:50051", "http://127.0.0.1:50051")]
    [InlineData("http://0.0.0.0:50051", "http://127.0.0.1:50051")]
    [InlineData("http://localhost:50051", "http://127.0.0.1:50051")]
    [InlineData("http://10.0.0.1:50051", "http://10.0.0.1:50051")]
    [InlineData("http://unix:/run/pool.sock", "unix:/run/pool.sock")]
    public void A_process_of_this_machine_dials_an_address_that_stands_for_one(string bound, string dialled) =>
        Assert.Equal(dialled, BoundAddress.ForThisMachine(bound));

    [Fact]
    public void Violations_of_the_pool_and_of_listening_are_in_one_message() =>
        Assert.StartsWith("2 settings are wrong:", Assert.Throws<SettingsException>(() => Load(("Listen:Grpc", "x"), ("Pool:Slots", "x"))).Message);

    private static ListenOptions Load(params (string Key, string Value)[] settings) => ServerSettings.Load(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build()).Listen;

    private static string Refuse(params (string Key, string Value)[] settings)
    {
        string[] lines = Assert.Throws<SettingsException>(() => Load(settings)).Message.Split('\n');
        Assert.Equal("One setting is wrong:", lines[0]);
        return Assert.Single(lines[1..]).Trim();
    }
}
