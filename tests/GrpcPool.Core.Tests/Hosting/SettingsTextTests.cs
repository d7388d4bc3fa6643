using System.Text.Json.Nodes;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using static GrpcPool.Core.Tests.Hosting.SettingsReader;

namespace GrpcPool.Core.Tests.Hosting;

public sealed class SettingsTextTests
{
    [Fact]
    public void Settings_in_force_can_be_read_again()
    {
        string json = SettingsText.ToJson(PoolSettings.Table, ReadKeys(
            ("Pool:Slots", "3"), ("Queues:mail:Limit", "2"), ("UndeclaredKinds", "Queue"), ("Retry:Jitter", "0.25"), ("Handlers:convert:Type", "command"),
            ("Handlers:convert:Command", Environment.ProcessPath), ("Handlers:convert:Arguments:0", "a \"quoted\" <word>"),
            ("Handlers:convert:RunTimeout", "00:00:00.5000000")));

        GrpcPoolOptions again = ReadJson(json);
        Assert.Equal(json, SettingsText.ToJson(PoolSettings.Table, again));
        Assert.Equal((3, 2, 0.25), (again.Pool.Slots, again.Queues["mail"].Limit, again.Retry.Jitter));
        Assert.Equal(TimeSpan.FromMilliseconds(500), again.Commands["convert"].RunTimeout);
    }

    [Theory]
    [InlineData("API_KEY", "***")]
    [InlineData("db_password", "***")]
    [InlineData("GithubToken", "***")]
    [InlineData("CLIENT_SECRET", "***")]
    [InlineData("LANG", "C")]
    public void Secrets_of_commands_are_masked(string name, string shown)
    {
        var options = new GrpcPoolOptions { Commands = { ["convert"] = new() { Environment = { [name] = "C" } } } };
        JsonNode json = JsonNode.Parse(SettingsText.ToJson(PoolSettings.Table, options))!;
        Assert.Equal(shown, (string?)json["Handlers"]!["convert"]!["Environment"]![name]);
    }

    [Fact]
    public void The_list_of_settings_has_a_line_for_each()
    {
        string[] lines = SettingsText.ToMarkdown(PoolSettings.Table).Split('\n');
        Assert.Contains(
            "| `Pool:Slots` | a whole number from 1 to 100,000 | the larger of 16 and 4 × cores | Slots that the server's own handlers share. |", lines);
        Assert.Contains(lines, line => line.StartsWith("| `Handlers:<kind>:Environment:<name>` | "));
        Assert.Equal(lines.Length, lines.Distinct().Count());
    }
}
