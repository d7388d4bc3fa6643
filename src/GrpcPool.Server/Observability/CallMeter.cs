using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using Microsoft.AspNetCore.Http;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace GrpcPool.Server.Observability;

/// <summary>A call that goes on.</summary>
/// <param name="Began">When it began; 0 where it is not measured.</param>
/// <param name="Span">Its span; null where it is not traced.</param>
internal readonly record struct MeteredCall(long Began, Activity? Span);

/// <summary>Measures calls, and traces those whose caller traces. Where nobody asks for that, it costs two looks at flags. Thread-safe.</summary>
internal sealed class CallMeter(TaskPool pool, TelemetryOptions? options = null)
{
    private const string System = "grpc";

    /// <summary>A host of another make decides itself what is sampled.</summary>
    private readonly double _sampleRatio = options?.SampleRatio ?? 1;

    private readonly Histogram<double> _duration = pool.Metrics.Histogram(Telemetry.CallDuration, Telemetry.Buckets.Short);

    /// <summary>By method, then by status. Only methods that exist come here.</summary>
    private readonly ConcurrentDictionary<string, Tag[][]> _tags = new(StringComparer.Ordinal);

    /// <summary>A call begins: its span, if it has one, becomes the current one.</summary>
    public MeteredCall Begin(ServerCallContext context) =>
        new(_duration.Enabled ? pool.Time.GetTimestamp() : 0, Telemetry.Source.HasListeners() ? Start(context) : null);

    /// <summary>A call has ended.</summary>
    public void End(MeteredCall call, ServerCallContext context, StatusCode status)
    {
        if (call.Began != 0)
            _duration.Record(pool.Time.GetElapsedTime(call.Began).TotalSeconds, Tags(context.Method, status));
        if (call.Span is not { } span)
            return;
        foreach ((string key, object? value) in Tags(context.Method, status))
            span.SetTag(key, value);
        if (IsError(status))
            span.SetStatus(ActivityStatusCode.Error);
        span.Stop();
    }

    /// <summary>A call was answered before it came to its service.</summary>
    public void Refused(string method, StatusCode status) => _duration.Record(0, Tags(method, status));

    private Activity? Start(ServerCallContext context)
    {
        // A host that traces its requests has a span for this one.
        if (Activity.Current is { Source.Name.Length: > 0 })
            return null;
        IHeaderDictionary headers = context.GetHttpContext().Request.Headers;
        bool traces = ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out ActivityContext parent);
        if (traces ? parent.TraceFlags != ActivityTraceFlags.Recorded : !BeginsTrace(context.Method))
            return null;
        return Telemetry.Source.StartActivity(context.Method[1..], ActivityKind.Server, parent);
    }

    private bool BeginsTrace(string method) => _sampleRatio > 0 && IsSubmission(method) && Random.Shared.NextDouble() < _sampleRatio;

    private static bool IsSubmission(string method) => method.Contains("/Submit", StringComparison.Ordinal);

    private Tag[] Tags(string method, StatusCode status) => _tags.GetOrAdd(method, static method => [.. Enum.GetValues<StatusCode>().Select(status => TagsOf(method, status))])[(int)status];

    private static Tag[] TagsOf(string method, StatusCode status)
    {
        string text = Telemetry.Words(status.ToString()).ToUpperInvariant();
        Tag[] tags = [new(Telemetry.Keys.RpcSystem, System), new(Telemetry.Keys.RpcMethod, method[1..]), new(Telemetry.Keys.RpcStatus, text)];
        return IsError(status) ? [.. tags, new(Telemetry.Keys.ErrorType, text)] : tags;
    }

    /// <summary>What counts as an error of the server, by the semantic conventions.</summary>
    private static bool IsError(StatusCode status) => status is
        StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented or StatusCode.Internal or StatusCode.Unavailable or StatusCode.DataLoss;
}
