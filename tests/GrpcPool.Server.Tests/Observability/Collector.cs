using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using GrpcPool.Server.Tests.Observability.Metrics;
using GrpcPool.Server.Tests.Observability.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Tests.Observability;

/// <summary>A collector of OpenTelemetry: it takes by gRPC what servers send by OTLP, and keeps it.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Collector(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    /// <summary>The setting by which a server finds it.</summary>
    public string Setting => $"Telemetry:Otlp:Endpoint={Address}";

    public IReadOnlyCollection<Span> Spans => Taken.Spans;

    public IReadOnlyCollection<Metric> Metrics => Taken.Metrics;

    /// <summary>The headers of the messages that came.</summary>
    public IReadOnlyCollection<Grpc.Core.Metadata> Headers => Taken.Headers;

    private Store Taken => _app.Services.GetRequiredService<Store>();

    public static async Task<Collector> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0, static listener => listener.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<Store>();
        WebApplication app = builder.Build();
        app.MapGrpcService<TraceCollector>();
        app.MapGrpcService<MetricsCollector>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new Collector(app);
    }

    /// <summary>The span of a trace with this name.</summary>
    public Span Span(string name, string traceId) => Assert.Single(Spans, span => span.Name == name && Hex(span.TraceId) == traceId);

    public static string Hex(Google.Protobuf.ByteString id) => Convert.ToHexStringLower(id.Span);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private sealed class Store
    {
        public ConcurrentQueue<Span> Spans { get; } = new();

        public ConcurrentQueue<Metric> Metrics { get; } = new();

        public ConcurrentQueue<Metadata> Headers { get; } = new();
    }

    private sealed class TraceCollector(Store store) : TraceService.TraceServiceBase
    {
        public override Task<ExportTraceServiceResponse> Export(ExportTraceServiceRequest request, ServerCallContext context)
        {
            store.Headers.Enqueue(context.RequestHeaders);
            foreach (Span span in request.ResourceSpans.SelectMany(static resource => resource.ScopeSpans).SelectMany(static scope => scope.Spans))
                store.Spans.Enqueue(span);
            return Task.FromResult(new ExportTraceServiceResponse());
        }
    }

    private sealed class MetricsCollector(Store store) : MetricsService.MetricsServiceBase
    {
        public override Task<ExportMetricsServiceResponse> Export(ExportMetricsServiceRequest request, ServerCallContext context)
        {
            foreach (Metric metric in request.ResourceMetrics.SelectMany(static resource => resource.ScopeMetrics).SelectMany(static scope => scope.Metrics))
                store.Metrics.Enqueue(metric);
            return Task.FromResult(new ExportMetricsServiceResponse());
        }
    }
}
