using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Observability;

/// <summary>What the server tells of itself, and to whom.</summary>
public sealed class TelemetryOptions
{
    /// <summary>Whether <c>/metrics</c> on the listener of operations answers, in the formats of Prometheus and OpenMetrics. True by default.</summary>
    public bool Metrics { get; set; } = true;

    /// <summary>The collector that traces and metrics are sent to. None by default.</summary>
    public OtlpOptions Otlp { get; } = new();

    /// <summary>
    /// Which share of the submissions whose caller traces nothing begins a trace, 0–1; 0.01 by default. A caller that traces decides itself. Nothing is traced without a collector.
    /// </summary>
    public double SampleRatio { get; set; } = 0.01;

    /// <summary>The form of the log. Text by default.</summary>
    public LogFormat LogFormat { get; set; } = LogFormat.Text;

    /// <summary>The least level that is logged. Information by default; at Debug, each change of each task.</summary>
    public LogLevel LogLevel { get; set; } = LogLevel.Information;
}

/// <summary>A collector of OpenTelemetry.</summary>
public sealed class OtlpOptions
{
    /// <summary>Its address, such as <c>http://127.0.0.1:4317</c>; null (the default) for none.</summary>
    public string? Endpoint { get; set; }

    /// <summary>How it is spoken to. Grpc by default.</summary>
    public OtlpProtocol Protocol { get; set; } = OtlpProtocol.Grpc;

    /// <summary>Headers that go with each message, <c>name=value</c> with commas between; null (the default) for none.</summary>
    public string? Headers { get; set; }

    /// <summary>How often metrics are sent, 1 s – 1 hour. 1 min by default.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>How a collector is spoken to.</summary>
public enum OtlpProtocol
{
    /// <summary>By gRPC, commonly on port 4317.</summary>
    Grpc,

    /// <summary>By HTTP, commonly on port 4318, below the paths <c>/v1/traces</c> and <c>/v1/metrics</c>.</summary>
    Http,
}

/// <summary>The form of the log.</summary>
public enum LogFormat
{
    /// <summary>A line for a person.</summary>
    Text,

    /// <summary>An object per line, with what each message is made of.</summary>
    Json,
}
