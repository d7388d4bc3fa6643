using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Observability;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Tests.Observability;

public sealed class TelemetrySettingsTests
{
    [Fact]
    public void Telemetry_is_read_and_the_headers_of_a_collector_are_shown_nowhere()
    {
        ServerSettings settings = Load(
            ("Otlp:Endpoint", "https://collector:4318"), ("Otlp:Protocol", "http"), ("Otlp:Headers", "authorization=Bearer hidden,x=y"), ("SampleRatio", "0.5"), ("LogFormat", "json"), ("LogLevel", "debug"));
        TelemetryOptions read = settings.Telemetry;
        Assert.Equal(("https://collector:4318", OtlpProtocol.Http, 0.5, LogFormat.Json, LogLevel.Debug), (read.Otlp.Endpoint, read.Otlp.Protocol, read.SampleRatio, read.LogFormat, read.LogLevel));
        Assert.DoesNotContain("hidden", SettingsText.ToJson(ServerSettings.Table, settings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Otlp:Endpoint", "collector:4317", "Telemetry:Otlp:Endpoint is \"collector:4317\"; give http://host:port or https://host:port")]
    [InlineData("Otlp:Headers", "hidden", "Telemetry:Otlp:Headers is \"***\"; give name=value, with commas between")]
    [InlineData("Otlp:Interval", "00:00:00", "Telemetry:Otlp:Interval is \"00:00:00\"; give a time span from 00:00:01")]
    [InlineData("SampleRatio", "2", "Telemetry:SampleRatio is \"2\"; give a number from 0 to 1")]
    public void What_cannot_be_is_refused(string key, string value, string violation) =>
        Assert.Contains(violation, Assert.Throws<SettingsException>(() => Load((key, value))).Message, StringComparison.Ordinal);

    private static ServerSettings Load(params (string Key, string Value)[] settings) => ServerSettings.Load(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(static setting => KeyValuePair.Create($"Telemetry:{setting.Key}", (string?)setting.Value))).Build());
}
