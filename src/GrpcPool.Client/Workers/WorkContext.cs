using System.Text;
using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>What a handler sees of the attempt it runs. Safe for concurrent use.</summary>
public abstract class WorkContext
{
    private const int ProgressCharactersMax = 256;

    private protected WorkContext(TaskInfo task) => Task = task;

    /// <summary>The whole task, in view FULL, as it was when the attempt started; not to be changed.</summary>
    public TaskInfo Task { get; }

    /// <summary>The task's namespace.</summary>
    public string Namespace => Task.Namespace;

    /// <summary>The task's id, unique within its namespace.</summary>
    public string TaskId => Task.Id;

    /// <summary>The task's kind.</summary>
    public string Kind => Task.Kind;

    /// <summary>The queue the task waited in.</summary>
    public string Queue => Task.Queue;

    /// <summary>The attempt's number, from 1. A number is used again after an attempt that was released or lost.</summary>
    public int Attempt => Task.Attempt;

    /// <summary>The payload, as submitted.</summary>
    public ReadOnlyMemory<byte> Payload => Task.Payload.Memory;

    /// <summary>The payload's media type, or empty.</summary>
    public string ContentType => Task.ContentType;

    /// <summary>The task's labels.</summary>
    public IReadOnlyDictionary<string, string> Labels => Task.Labels;

    /// <summary>The task's headers, <c>traceparent</c> among them where the submitter sent one.</summary>
    public IReadOnlyDictionary<string, string> Headers => Task.Headers;

    /// <summary>Why the attempt was asked to stop, for a person; null while it was not.</summary>
    public abstract string? StopReason { get; }

    /// <summary>
    /// Fires when the lease is lost: the task runs elsewhere, or has ended, and nothing that this attempt still says is heard. End at once, by force where there
    /// is something to end.
    /// </summary>
    public abstract CancellationToken Killed { get; }

    /// <summary>Reports how far the attempt is. At most 10 reports a second go out; the newest always does.</summary>
    /// <param name="fraction">0 to 1; values outside are cut to it.</param>
    /// <param name="message">One line for a person, at most 256 characters; longer ones are cut.</param>
    public void ReportProgress(double fraction, string message = "")
    {
        ArgumentNullException.ThrowIfNull(message);
        Say(new Progress { Fraction = double.IsNaN(fraction) ? 0 : Math.Clamp(fraction, 0, 1), Message = WorkOutcome.Head(message, ProgressCharactersMax) });
    }

    /// <summary>Adds text to the task's log, as UTF-8. See the other overload.</summary>
    /// <param name="text">The text; it is for the caller to end lines.</param>
    public void WriteLog(string text) => WriteLog(Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// Adds bytes to the task's log as they are. They go out at most 10 times a second, and wholly when the attempt ends. Never waits: of what gathers meanwhile,
    /// such as in a flood or while the pool is out of reach, the last 256 KiB are kept. After the attempt's end nothing is added.
    /// </summary>
    /// <param name="text">The bytes, by custom UTF-8 text in lines; copied before this returns.</param>
    public abstract void WriteLog(ReadOnlySpan<byte> text);

    private protected abstract void Say(Progress progress);
}
