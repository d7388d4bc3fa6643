using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using static GrpcPool.Core.Tests.Hosting.SettingsReader;

namespace GrpcPool.Core.Tests.Hosting;

public sealed class SettingsRuleTests
{
    [Fact]
    public void Defaults_obey_the_rules() => PoolSettings.Validate(new GrpcPoolOptions());

    [Theory]
    [InlineData("Pool:Slots", "0")]
    [InlineData("Pool:Slots", "100001")]
    [InlineData("Pool:Slots", "8.0")]
    [InlineData("Pool:Slots", " 8")]
    [InlineData("Pool:Slots", "1e3")]
    [InlineData("Pool:Slots", "99999999999")]
    [InlineData("Pool:Slots", "")]
    [InlineData("Pool:DrainTimeout", "25")]
    [InlineData("Pool:DrainTimeout", "01:00:01")]
    [InlineData("Pool:DrainTimeout", "-00:00:01")]
    [InlineData("Queues:mail:Retention", "30:00:00")]
    [InlineData("Queues:mail:Limit", "0")]
    [InlineData("Queues:mail:Rate:Tokens", "0")]
    [InlineData("Queues:mail:Rate:Per", "1.00:00:01")]
    [InlineData("Kinds:mail:Rate:Burst", "-1")]
    [InlineData("Namespaces:shop:Weight", "0")]
    [InlineData("Namespaces:shop:Weight", "1001")]
    [InlineData("Queues:mail:WhenFull", "1")]
    [InlineData("Queues:mail:WhenFull", "Refuse")]
    [InlineData("UndeclaredKinds", "")]
    [InlineData("BuiltInKinds", "1")]
    [InlineData("Retry:Jitter", "1.1")]
    [InlineData("Retry:BackoffMultiplier", "NaN")]
    [InlineData("Storage:Type", "postgres")]
    [InlineData("Storage:Path", "")]
    [InlineData("Storage:Synchronous", "2")]
    public void A_value_that_breaks_its_rule_is_refused_with_key_and_value(string key, string value)
    {
        string line = Assert.Single(Refuse((key, value)));
        Assert.StartsWith($"{key} is {(value.Length == 0 ? "empty" : $"\"{value}\"")}; give ", line);
    }

    [Fact]
    public void Values_are_read_by_their_type()
    {
        GrpcPoolOptions options = ReadKeys(
            ("pool:slots", "8"), ("Queues:mail:WhenFull", "discardOLDEST"), ("Queues:mail:Limit", "2"), ("Queues:mail:Retention", "30.00:00:00"),
            ("Namespaces:shop:Weight", "3"), ("BuiltInKinds", "FALSE"), ("Retry:Jitter", "0.5"), ("Retry:InitialBackoff", "00:00:00.250"));

        Assert.Equal(8, options.Pool.Slots);
        QueueOptions mail = options.Queues["mail"];
        Assert.Equal((FullPolicy.DiscardOldest, 2, TimeSpan.FromDays(30)), (mail.WhenFull, mail.Limit, mail.Retention));
        Assert.Equal((3, 1), (options.WeightOf("shop"), options.WeightOf("another")));
        Assert.False(options.BuiltInKinds);
        Assert.Equal((0.5, TimeSpan.FromMilliseconds(250)), (options.Retry.Jitter, options.Retry.InitialBackoff));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public void No_limit_is_null_or_empty(string limit) => Assert.Null(ReadJson($$"""{ "Queues": { "mail": { "Limit": {{limit}} } } }""").Queues["mail"].Limit);

    [Theory]
    [InlineData("""{ "Pool": 5 }""", "Pool is \"5\"; give a section.")]
    [InlineData("""{ "Queues": { "mail": 5 } }""", "Queues:mail is \"5\"; give a section.")]
    [InlineData("""{ "Queues": "mail" }""", "Queues is \"mail\"; give a section of named entries.")]
    public void A_value_in_place_of_a_section_is_refused(string json, string line) => Assert.Equal([line], RefuseJson(json));

    [Fact]
    public void A_section_in_place_of_a_value_is_refused() =>
        Assert.StartsWith("Pool:Slots is a section or a list; give a whole number", Assert.Single(RefuseJson("""{ "Pool": { "Slots": [8] } }""")));

    [Theory]
    [InlineData("Pool:Slotz", "Pool:Slotz is no setting; did you mean Pool:Slots?")]
    [InlineData("Storage:Folder", "Storage:Folder is no setting; remove it, or use one of Type, Path, Synchronous.")]
    [InlineData("Queues:mail:Capacitty", "Queues:mail:Capacitty is no setting; did you mean Queues:mail:Capacity?")]
    [InlineData("Limits:Verbosity", "Limits:Verbosity is no setting; remove it, or use one of ")]
    [InlineData("Alarms:Nightly", "Alarms is no setting; remove it, or use one of Pool, ")]
    public void An_unknown_key_is_refused(string key, string start) => Assert.StartsWith(start, Assert.Single(Refuse((key, "1"))));

    [Theory]
    [InlineData("Mail")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public void Names_of_queues_are_lower_case_and_short(string name) =>
        Assert.StartsWith($"Queues:{name} has a name that is not allowed; give ", Assert.Single(Refuse(($"Queues:{name}:Weight", "2"))));

    [Fact]
    public void Every_violation_is_in_one_message()
    {
        string[] lines = RefuseJson("""
            {
              "Pool": { "Slots": 0, "DrainTimeout": "25", "Slotz": 1 },
              "Queues": { "mail": { "Weight": "heavy" }, "Post": {} },
              "Handlers": { "convert": { "Type": "command" }, "notify": { "Type": "ftp", "Url": "ftp://localhost" } },
              "Retry": { "InitialBackoff": "00:10:00" },
              "Bogus": true
            }
            """);

        string[] keys = [.. lines.Select(line => line.Split(' ')[0])];
        Assert.Equal(
            ["Bogus", "Handlers:convert:Command", "Handlers:notify:Type", "Pool:DrainTimeout", "Pool:Slots", "Pool:Slotz",
             "Queues:mail:Weight", "Queues:Post", "Retry:InitialBackoff"],
            keys);
    }

    [Fact]
    public void Payload_and_result_fit_a_message_together()
    {
        Assert.StartsWith(
            "Limits:PayloadBytesMax (2000000) and Limits:ResultBytesMax (1048576) are together more than 2097152;",
            Assert.Single(Refuse(("Limits:PayloadBytesMax", "2000000"))));
        ReadKeys(("Limits:PayloadBytesMax", "2097152"), ("Limits:ResultBytesMax", "0"));
    }

    [Fact]
    public void A_rule_across_settings_is_silent_while_one_of_them_is_wrong_by_itself() =>
        Assert.StartsWith("Limits:ResultBytesMax is \"1MB\"", Assert.Single(Refuse(("Limits:PayloadBytesMax", "2000000"), ("Limits:ResultBytesMax", "1MB"))));

    [Fact]
    public void The_first_pause_is_no_longer_than_the_longest() =>
        Assert.StartsWith(
            "Retry:InitialBackoff is \"00:10:00\", longer than Retry:MaxBackoff (00:05:00);", Assert.Single(Refuse(("Retry:InitialBackoff", "00:10:00"))));

    [Fact]
    public void Configured_queues_fit_the_limit_of_queues() =>
        Assert.StartsWith("Queues names 2 queues, more than Limits:Queues (1);", Assert.Single(Refuse(("Limits:Queues", "1"), ("Queues:mail:Weight", "2"))));

    [Fact]
    public void Options_that_are_set_in_code_obey_the_same_rules()
    {
        var options = new GrpcPoolOptions { Pool = { Slots = -1 }, Retry = new() { Jitter = 2 } };
        options.Queues.Remove(GrpcPoolOptions.DefaultQueue);

        var e = Assert.Throws<SettingsException>(() => PoolSettings.Validate(options));
        Assert.StartsWith("3 settings are wrong:\n  Pool:Slots is \"-1\"; give ", e.Message);
        Assert.Contains("\n  Queues:default is missing;", e.Message);
        Assert.Contains("\n  Retry:Jitter is \"2\"; give ", e.Message);
    }
}
