using System.Diagnostics;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>The trace that a task was submitted in, as its headers have it: kept with the task, it goes on over retries and restarts. Only what its submitter samples is traced.</summary>
internal static class AttemptTrace
{
    public const string Parent = "traceparent", State = "tracestate";

    /// <summary>Where the trace id stands in a <c>traceparent</c>.</summary>
    private static readonly Range TraceId = 3..35;

    /// <summary>Begins the span of an attempt, after that of its time in the queue; null where it is not traced.</summary>
    /// <param name="task">The task, running.</param>
    /// <param name="adopted">Whether the attempt began in a former process.</param>
    public static Activity? Start(TaskRecord task, bool adopted)
    {
        if (!Telemetry.Source.HasListeners() || Read(task) is not { TraceFlags: ActivityTraceFlags.Recorded } parent)
            return null;
        using (Activity? queued = adopted ? null : Telemetry.Source.StartActivity($"queue {task.Spec.Queue}", ActivityKind.Internal, parent, startTime: task.RunAt))
            queued?.SetTag(Telemetry.Keys.Task, task.Id.Value).SetTag(Telemetry.Keys.Queue, task.Spec.Queue);
        return Telemetry.Source.StartActivity($"run {task.Spec.Kind}", ActivityKind.Consumer, parent)?
            .SetTag(Telemetry.Keys.Namespace, task.Id.Namespace)
            .SetTag(Telemetry.Keys.Task, task.Id.Value)
            .SetTag(Telemetry.Keys.Kind, task.Spec.Kind)
            .SetTag(Telemetry.Keys.Queue, task.Spec.Queue)
            .SetTag(Telemetry.Keys.Attempt, task.Attempt)
            .SetTag(Telemetry.Keys.Worker, task.Worker.Length == 0 ? null : task.Worker);
    }

    /// <summary>Ends the span of an attempt.</summary>
    public static void End(Activity span, AttemptOutcome outcome, Failure? failure)
    {
        span.SetTag(Telemetry.Keys.Outcome, AttemptOutcomes.Text(outcome));
        if (failure is not null && outcome != AttemptOutcome.Succeeded)
            span.SetTag(Telemetry.Keys.ErrorType, failure.Code.ToString()).SetStatus(ActivityStatusCode.Error, failure.Message);
        span.Stop();
    }

    /// <summary>The same headers, with a span in the place of the one that the task came with.</summary>
    public static IReadOnlyDictionary<string, string> Continue(IReadOnlyDictionary<string, string> headers, Activity span)
    {
        var continued = new Dictionary<string, string>(headers, StringComparer.Ordinal) { [Parent] = span.Id! };
        if (span.TraceStateString is { Length: > 0 } state)
            continued[State] = state;
        return continued;
    }

    /// <summary>The id of a task's trace, for a log; empty where it has none.</summary>
    public static string IdOf(TaskRecord task) => Read(task) is null ? "" : task.Spec.Headers[Parent][TraceId];

    private static ActivityContext? Read(TaskRecord task)
    {
        if (task.Spec.Headers.Count == 0 || !task.Spec.Headers.TryGetValue(Parent, out string? parent))
            return null;
        return ActivityContext.TryParse(parent, task.Spec.Headers.GetValueOrDefault(State), isRemote: true, out ActivityContext context) ? context : null;
    }
}
