using System.Text.Json;

namespace GrpcPool.Cli.Tests;

public sealed class CommandTests
{
    private const int Timeout = 60_000;

    [Theory(Timeout = Timeout)]
    [InlineData("serve")]
    [InlineData("config")]
    [InlineData("token")]
    [InlineData("health")]
    [InlineData("demo")]
    [InlineData("run")]
    [InlineData("backup")]
    [InlineData("check")]
    [InlineData("restore")]
    [InlineData("workers")]
    [InlineData("drain")]
    [InlineData("completion")]
    public async Task Each_command_has_help_with_examples(string command)
    {
        Ended help = await Executable.RunOnceAsync(command, "--help");

        Assert.Equal(0, help.Code);
        Assert.Contains($"Examples:\n  grpcpool {command}", help.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task The_help_names_every_command()
    {
        Ended help = await Executable.RunOnceAsync("--help");

        Assert.Equal(0, help.Code);
        Assert.All((string[])["serve", "config", "health", "demo", "backup", "check", "restore", "workers", "drain", "schedule", .. ExampleTests.Commands], command => Assert.Matches($@"\n  {command} ", help.Output));
    }

    [Theory(Timeout = Timeout)]
    [InlineData]
    [InlineData("dance")]
    [InlineData("demo", "dance")]
    [InlineData("schedule", "dance")]
    [InlineData("health", "--address", "nowhere")]
    [InlineData("health", "--timeout", "0")]
    [InlineData("config", "--set", "Pool:Slots")]
    public async Task Wrong_usage_ends_with_2(params string[] arguments) => Assert.Equal(2, (await Executable.RunOnceAsync(arguments)).Code);

    [Fact(Timeout = Timeout)]
    public async Task Health_ends_with_69_where_nothing_listens()
    {
        Ended health = await Executable.RunOnceAsync("health", "--address", "http://127.0.0.1:1");

        Assert.Equal(69, health.Code);
        Assert.Equal("", health.Output);
        Assert.StartsWith("grpcpool: http://127.0.0.1:1/ is unreachable: ", health.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = Timeout)]
    public async Task What_config_prints_can_serve_as_settings()
    {
        using var executable = new Executable();
        Ended printed = await executable.RunAsync("config", "--set", "Pool:Slots=7");
        await File.WriteAllTextAsync(Path.Combine(executable.WorkingFolder, "settings.json"), printed.Output, TestContext.Current.CancellationToken);
        Ended again = await executable.RunAsync("config", "--config", "settings.json");

        Assert.Equal(0, printed.Code);
        Assert.Equal(7, JsonDocument.Parse(printed.Output).RootElement.GetProperty("Pool").GetProperty("Slots").GetInt32());
        Assert.Equal(printed, again);
    }

    [Fact(Timeout = Timeout)]
    public async Task Bad_settings_end_with_78_all_named_at_once()
    {
        Ended config = await Executable.RunOnceAsync("config", "--set", "Pool:Slots=0", "--set", "Pool:Slits=1");

        Assert.Equal(78, config.Code);
        Assert.Contains("Pool:Slots", config.Errors, StringComparison.Ordinal);
        Assert.Contains("Pool:Slits", config.Errors, StringComparison.Ordinal);
    }
}
