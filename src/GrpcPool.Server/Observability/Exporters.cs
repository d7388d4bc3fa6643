using System.Diagnostics.Metrics;
using GrpcPool.Core.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace GrpcPool.Server.Observability;

/// <summary>Sends what is measured and traced to whoever asks for it. Where nobody does, nothing is.</summary>
internal static class Exporters
{
    private const string Runtime = "System.Runtime", Kestrel = "Microsoft.AspNetCore.Server.Kestrel", Connections = "kestrel.active_connections";

    /// <summary>What has more time series than there are queues or kinds. Room for the series of each other instrument would be most of what a server allocates at its start.</summary>
    private static readonly HashSet<string> Wide = [Telemetry.Endings.Name, Telemetry.QueueTasks.Name, Telemetry.AttemptDuration.Name, Telemetry.CallDuration.Name];

    /// <summary>How long a collector may take: at a shutdown the last traces and metrics are sent, and it must not last.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    /// <summary>Adds the exporters that the settings name.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="options">The settings.</param>
    /// <param name="scraped">Whether the server answers at <c>/metrics</c>.</param>
    public static void AddTelemetry(this IServiceCollection services, TelemetryOptions options, bool scraped)
    {
        services.AddSingleton(options);
        if (!scraped && options.Otlp.Endpoint is null)
            return;
        OpenTelemetryBuilder telemetry = services.AddOpenTelemetry()
            .ConfigureResource(static resource => resource.Clear().AddTelemetrySdk().AddService("grpcpool", serviceVersion: Telemetry.Version).AddEnvironmentVariableDetector())
            .WithMetrics(metrics => Configure(metrics, options, scraped));
        if (options.Otlp.Endpoint is not null)
            telemetry.WithTracing(tracing => Configure(tracing, options));
    }

    private static void Configure(MeterProviderBuilder metrics, TelemetryOptions options, bool scraped)
    {
        metrics.AddMeter(Telemetry.Name, Runtime, Kestrel)
            .AddView(View)
            .SetExemplarFilter(options.Otlp.Endpoint is null ? ExemplarFilterType.AlwaysOff : ExemplarFilterType.TraceBased);
        if (scraped)
            metrics.AddPrometheusExporter(static prometheus => prometheus.ScopeInfoEnabled = false);
        if (options.Otlp.Endpoint is not null)
        {
            metrics.AddOtlpExporter((exporter, reader) =>
            {
                Configure(exporter, options.Otlp, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)options.Otlp.Interval.TotalMilliseconds;
            });
        }
    }

    private static MetricStreamConfiguration? View(Instrument instrument) => instrument switch
    {
        // What Kestrel measures of each request is measured of each call already.
        { Meter.Name: Kestrel, Name: not Connections } => MetricStreamConfiguration.Drop,
        _ when Wide.Contains(instrument.Name) => null,
        _ => new MetricStreamConfiguration { CardinalityLimit = Telemetry.SeriesMax + 1 },
    };

    /// <summary>Whether a trace begins is decided where its first span is; what follows it is traced too.</summary>
    private static void Configure(TracerProviderBuilder tracing, TelemetryOptions options) => tracing
        .AddSource(Telemetry.Name)
        .SetSampler(new ParentBasedSampler(new AlwaysOnSampler()))
        .AddOtlpExporter(exporter => Configure(exporter, options.Otlp, "v1/traces"));

    private static void Configure(OtlpExporterOptions exporter, OtlpOptions options, string path)
    {
        bool http = options.Protocol == OtlpProtocol.Http;
        exporter.Protocol = http ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        exporter.TimeoutMilliseconds = (int)Timeout.TotalMilliseconds;
        exporter.Endpoint = new Uri(http ? $"{options.Endpoint!.TrimEnd('/')}/{path}" : options.Endpoint!);
        if (options.Headers is not null)
            exporter.Headers = options.Headers;
    }
}
