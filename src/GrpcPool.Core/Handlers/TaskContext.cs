using System.Text;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Handlers;

/// <summary>What a handler sees of the attempt it runs. Safe for concurrent use.</summary>
public abstract class TaskContext
{
    /// <summary>The task's namespace.</summary>
    public abstract string Namespace { get; }

    /// <summary>The task's id, unique within its namespace.</summary>
    public abstract string TaskId { get; }

    /// <summary>The task's kind.</summary>
    public abstract string Kind { get; }

    /// <summary>The queue the task waited in.</summary>
    public abstract string Queue { get; }

    /// <summary>The attempt's number, from 1. A number is used again after an attempt that was released or lost.</summary>
    public abstract int Attempt { get; }

    /// <summary>The payload, as submitted.</summary>
    public abstract ReadOnlyMemory<byte> Payload { get; }

    /// <summary>The payload's media type, or empty.</summary>
    public abstract string ContentType { get; }

    /// <summary>The task's labels.</summary>
    public abstract IReadOnlyDictionary<string, string> Labels { get; }

    /// <summary>The task's headers, <c>traceparent</c> among them where the submitter sent one: where the attempt is traced, that of its own span.</summary>
    public abstract IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>Fires after the handler was asked to stop and did not in its time: end at once, by force where there is something to end.</summary>
    public abstract CancellationToken Killed { get; }

    /// <summary>When the attempt's time is up; null for never.</summary>
    internal virtual DateTimeOffset? Deadline => null;

    /// <summary>What proves to whoever is outside of this process that it may end the attempt.</summary>
    internal virtual LeaseToken Lease => default;

    /// <summary>Lets the attempt go on outside of this process, without a slot, until the holder of <see cref="Lease"/> ends it or it is stopped.</summary>
    /// <returns>How it ended.</returns>
    internal virtual Task<TaskOutcome> LeaveRunningAsync(CancellationToken stopping) => Task.FromResult(TaskOutcome.Failed("the attempt cannot be left running"));

    /// <summary>Reports how far the attempt is. At most 10 reports a second go out to watchers; the newest always does.</summary>
    /// <param name="fraction">0 to 1; values outside are cut to it.</param>
    /// <param name="message">One line for a person, at most 256 characters; longer ones are cut.</param>
    public abstract void ReportProgress(double fraction, string message = "");

    /// <summary>Adds text to the task's log, as UTF-8. See the other overload.</summary>
    /// <param name="text">The text; it is for the caller to end lines.</param>
    public void WriteLog(string text) => WriteLog(Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// Adds bytes to the task's log as they are. It is written at most once a second, and wholly when the attempt ends; a crash may lose the last second. Never waits:
    /// a flood loses its beginning, for a log keeps no more than <c>Limits:LogBytesMax</c>. After the attempt's end nothing is added.
    /// </summary>
    /// <param name="text">The bytes, by custom UTF-8 text in lines; copied before this returns.</param>
    public abstract void WriteLog(ReadOnlySpan<byte> text);
}
