using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Hosting;

/// <summary>What the pool writes to the log: its life at Information, single tasks at Debug, payloads never.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "The pool is open: {Slots} slots, kinds {Kinds}")]
    public static partial void PoolOpened(ILogger logger, int slots, IEnumerable<string> kinds);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Attempts} attempts of the former process were lost")]
    public static partial void AttemptsLost(ILogger logger, int attempts);

    [LoggerMessage(Level = LogLevel.Information, Message = "The pool drains: {Running} slots are busy, at most {Timeout} to go")]
    public static partial void Draining(ILogger logger, int running, TimeSpan timeout);

    [LoggerMessage(Level = LogLevel.Information, Message = "The pool drains at an operator's word: {Running} slots are busy, and the process stays")]
    public static partial void DrainBegun(ILogger logger, int running);

    [LoggerMessage(Level = LogLevel.Information, Message = "Operator at {By}: {What}: {Before} -> {After} ({Outcome})")]
    public static partial void OperatorChanged(ILogger logger, string by, string what, object before, object after, string outcome);

    [LoggerMessage(Level = LogLevel.Information, Message = "The pool is closed")]
    public static partial void PoolClosed(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "Task {Task} still ran at the end of the drain: it is stopped and released")]
    public static partial void AttemptReleased(ILogger logger, TaskId task);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Task {Task} is {State} at version {Version} (trace {TraceId})")]
    public static partial void TaskChanged(ILogger logger, TaskId task, TaskState state, long version, string traceId);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Command} of task {Task} could not be committed and is tried again")]
    public static partial void AttemptNotCommitted(ILogger logger, string command, TaskId task, Exception fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "The end of task {Task} could not be committed: the next start takes its attempt for lost")]
    public static partial void AttemptLeft(ILogger logger, TaskId task, Exception fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "A commit of {Commands} commands failed")]
    public static partial void CommitFailed(ILogger logger, int commands, Exception fault);

    [LoggerMessage(Level = LogLevel.Error, Message = "No new tasks are taken, the store is in trouble ({Fault}): {Reason}")]
    public static partial void StoreTroubled(ILogger logger, StorageFault fault, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The store is well again: new tasks are taken")]
    public static partial void StoreRecovered(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No new tasks are taken, memory is short: {Used:P0} of what the process may use (Limits:MemoryGuard)")]
    public static partial void MemoryShort(ILogger logger, double used);

    [LoggerMessage(Level = LogLevel.Information, Message = "There is memory again ({Used:P0} used): new tasks are taken")]
    public static partial void MemoryEnough(ILogger logger, double used);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Name} has come ({Id}): {Slots} slots, kinds {Kinds}")]
    public static partial void WorkerJoined(ILogger logger, string name, string id, int slots, IEnumerable<string> kinds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Name} has gone ({Id})")]
    public static partial void WorkerLeft(ILogger logger, string name, string id);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Processes} worker processes of a server that was killed are ended")]
    public static partial void FormerProcesses(ILogger logger, int processes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker process {Name} has started (process {Pid})")]
    public static partial void ProcessStarted(ILogger logger, string name, int pid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker process {Name} has failed ({How}): the next starts in {Pause}")]
    public static partial void ProcessFailed(ILogger logger, string name, string how, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker process {Name} was not connected for {Timeout}: it is ended")]
    public static partial void ProcessAbsent(ILogger logger, string name, TimeSpan timeout);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker process {Name} retires: {Reason}")]
    public static partial void ProcessRetires(ILogger logger, string name, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker process {Name} has retired ({How})")]
    public static partial void ProcessEnded(ILogger logger, string name, string how);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name}: {Line}")]
    public static partial void ProcessSaid(ILogger logger, string name, string line);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Name}: {Lines} more lines came too fast and were left out")]
    public static partial void ProcessLinesLeftOut(ILogger logger, string name, long lines);

    [LoggerMessage(Level = LogLevel.Error, Message = "Work in the background failed")]
    public static partial void BackgroundFault(ILogger logger, Exception fault);
}
