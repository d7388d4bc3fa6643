using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Server.Access;
using GrpcPool.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace GrpcPool.Server.Tests.Access;

public sealed class AccessSettingsTests
{
    private static readonly (string, string) Hash = ("Access:Tokens:web:Hash", new string('a', 64));
    private static readonly (string, string) Role = ("Access:Tokens:web:Roles:0", "read");

    [Fact]
    public void A_token_is_read_and_its_hash_is_shown_nowhere()
    {
        ServerSettings settings = Load(Hash, Role, ("Access:Tokens:web:Namespace", "shop"), ("Access:Tokens:web:Kinds:0", "echo"));
        TokenOptions token = settings.Access.Tokens["web"];
        Assert.Equal(("shop", "read", "echo"), (token.Namespace, Assert.Single(token.Roles), Assert.Single(token.Kinds)));
        string shown = SettingsText.ToJson(ServerSettings.Table, settings);
        Assert.Contains("\"web\"", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("aaaa", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_has_a_hash_or_a_file_of_hashes()
    {
        Assert.StartsWith("Access:Tokens:web:Hash is missing; give one of them", Refuse(Role), StringComparison.Ordinal);
        Assert.StartsWith("Access:Tokens:web:Hash is given beside Access:Tokens:web:HashFile;", Refuse(Hash, Role, ("Access:Tokens:web:HashFile", "/run/x")), StringComparison.Ordinal);
        Assert.StartsWith("Access:Tokens:web:HashFile is \"/no/such/file\", which cannot be used:", Refuse(Role, ("Access:Tokens:web:HashFile", "/no/such/file")), StringComparison.Ordinal);
        string wrong = Refuse(Role, ("Access:Tokens:web:Hash", "my-secret"));
        Assert.StartsWith("Access:Tokens:web:Hash is \"***\"; give the SHA-256 of a token", wrong, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Roles:0", "owner", "Access:Tokens:web:Roles has \"owner\", which is no role; give some of submit, read, work, operate, admin.")]
    [InlineData("Namespace", "Shop", "Access:Tokens:web:Namespace is \"Shop\"; give 1–64 characters")]
    [InlineData("Queues:0", "", "Access:Tokens:web:Queues has \"\", which is no name;")]
    public void What_is_no_role_or_name_is_refused(string key, string value, string violation) =>
        Assert.StartsWith(violation, Refuse(Hash, Role, ($"Access:Tokens:web:{key}", value)), StringComparison.Ordinal);

    [Fact]
    public void A_token_without_a_role_is_a_mistake() => Assert.StartsWith("Access:Tokens:web:Roles is empty", Refuse(Hash), StringComparison.Ordinal);

    [Theory]
    [InlineData("Audience", "", "Access:Jwt:Audience is missing: tokens of the issuer for other servers would be accepted;")]
    [InlineData("Issuer", "", "Access:Jwt:Issuer is missing;")]
    [InlineData("KeysUrl", "", "Access:Jwt:KeysUrl is missing, and so is Access:Jwt:KeysFile; give one of them.")]
    [InlineData("KeysUrl", "http://login.example.com/keys", "Access:Jwt:KeysUrl is \"http://login.example.com/keys\"; give https://…, or http:// and a loopback address")]
    [InlineData("KeysFile", "/no/such/file", "Access:Jwt:KeysUrl is given beside Access:Jwt:KeysFile; give one of them.")]
    [InlineData("Algorithms:0", "none", "Access:Jwt:Algorithms has \"none\"; give some of RS256")]
    [InlineData("ClockSkew", "01:00:00", "Access:Jwt:ClockSkew is \"01:00:00\"; give a time span")]
    public void An_issuer_is_named_as_a_whole(string key, string value, string violation) => Assert.StartsWith(
        violation,
        Refuse(("Access:Jwt:Issuer", "i"), ("Access:Jwt:Audience", "a"), ("Access:Jwt:KeysUrl", "https://login.example.com/keys"), ($"Access:Jwt:{key}", value)),
        StringComparison.Ordinal);

    [Fact]
    public void A_user_is_named_by_number_and_only_where_there_is_a_socket()
    {
        (string, string) socket = ("Listen:Socket", "/run/x"), role = ("Access:Peers:me:Roles:0", "read"), uid = ("Access:Peers:me:Uid", "1001");
        Assert.Equal(1001, Load(socket, role, uid).Access.Peers["me"].Uid);
        Assert.StartsWith("Listen:Socket is missing beside Access:Peers", Refuse(role, uid), StringComparison.Ordinal);
        Assert.StartsWith("Access:Peers:me:Uid is missing, and so is Access:Peers:me:Gid;", Refuse(socket, role), StringComparison.Ordinal);
        Assert.StartsWith(
            "Access:Peers:you stands for the same users as Access:Peers:me;", Refuse(socket, role, uid, ("Access:Peers:you:Uid", "1001"), ("Access:Peers:you:Roles:0", "read")), StringComparison.Ordinal);
    }

    private static ServerSettings Load(params (string Key, string Value)[] settings) => ServerSettings.Load(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.DistinctBy(static setting => setting.Key).Select(static setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build());

    private static string Refuse(params (string Key, string Value)[] settings) =>
        Assert.Single(Assert.Throws<SettingsException>(() => Load([.. settings.Reverse()])).Message.Split('\n')[1..]).Trim();
}
