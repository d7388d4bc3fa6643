using GrpcPool.Core.Hosting.Settings;
using Microsoft.Extensions.Logging;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Server.Observability;

/// <summary>The settings of what the server tells of itself.</summary>
internal static class TelemetrySettings
{
    private static readonly SettingsTable<OtlpOptions> Otlp = new()
    {
        {
            "Endpoint", OptionalText("http://host:port or https://host:port", IsAddress), o => o.Endpoint, (o, v) => o.Endpoint = v,
            "A collector of OpenTelemetry, to which traces and metrics are sent."
        },
        { "Protocol", OneOf<OtlpProtocol>(), o => o.Protocol, (o, v) => o.Protocol = v, "How it is spoken to." },
        { "Headers", Secret(OptionalText("name=value, with commas between", IsHeaders)), o => o.Headers, (o, v) => o.Headers = v, "What it asks for to know who sends." },
        { "Interval", Span(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), o => o.Interval, (o, v) => o.Interval = v, "How often metrics are sent." },
    };

    public static SettingsTable<TelemetryOptions> Table { get; } = new()
    {
        { "Metrics", Flag, o => o.Metrics, (o, v) => o.Metrics = v, "Whether /metrics on Listen:Ops answers, for Prometheus." },
        { "Otlp", Otlp, o => o.Otlp },
        { "SampleRatio", Real(0, 1), o => o.SampleRatio, (o, v) => o.SampleRatio = v, "The share of submissions that begin a trace, where the caller does not trace." },
        { "LogFormat", OneOf<LogFormat>(), o => o.LogFormat, (o, v) => o.LogFormat = v, "The form of the log." },
        { "LogLevel", OneOf<LogLevel>(), o => o.LogLevel, (o, v) => o.LogLevel = v, "The least level that is logged." },
    };

    private static bool IsAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps);

    private static bool IsHeaders(string text) => Array.TrueForAll(text.Split(','), static header => header.IndexOf('=', StringComparison.Ordinal) > 0);
}
