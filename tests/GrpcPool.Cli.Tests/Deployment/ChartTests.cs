namespace GrpcPool.Cli.Tests.Deployment;

public sealed class ChartTests
{
    private const int TimeoutMs = 60_000;

    private const string Secrets = "tls.secretName=a,tokens.secretName=b";

    [Fact(Timeout = TimeoutMs)]
    public async Task Helm_finds_no_fault()
    {
        Ended lint = await Chart.RunAsync("lint", "--strict", Chart.Folder, "--set", Secrets);
        Assert.Equal((lint.Output + lint.Errors, 0), (lint.Output + lint.Errors, lint.Code));
    }

    [Theory(Timeout = TimeoutMs)]
    [InlineData("", "tls.secretName is needed")]
    [InlineData("tls.secretName=a", "tokens.secretName is needed")]
    [InlineData($"{Secrets},drainSeconds=-1", "drainSeconds")]
    [InlineData($"{Secrets},tokns.secretName=c", "tokns")]
    public async Task What_is_missing_or_wrong_is_named(string values, string named)
    {
        Ended made = await Chart.RunAsync("template", "pool", Chart.Folder, "--set", values);
        Assert.NotEqual(0, made.Code);
        Assert.Contains(named, made.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Settings_of_the_values_win_over_those_of_the_chart()
    {
        Manifest manifest = await Manifest.ReadAsync($"chart {Secrets},tokens.access.shop.Roles={{read}},drainSeconds=3599,settings.Pool.Slots=3,settings.Listen.Http=http://127.0.0.1:1");
        Assert.Equal("00:59:59", (string?)manifest.SettingsJson["Pool"]!["DrainTimeout"]);
        Assert.Equal(3, (int?)manifest.SettingsJson["Pool"]!["Slots"]);
        Assert.Equal("http://127.0.0.1:1", (string?)manifest.SettingsJson["Listen"]!["Http"]);
        Assert.Equal("/run/grpcpool/tokens/shop", (string?)manifest.SettingsJson["Access"]!["Tokens"]!["shop"]!["HashFile"]);
        Assert.Equal("https://*:50051", (string?)manifest.SettingsJson["Listen"]!["Grpc"]);
    }
}
