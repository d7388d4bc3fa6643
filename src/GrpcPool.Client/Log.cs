using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Client;

/// <summary>What a worker writes to the log of its host: its life; payloads never.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Name} is connected as {Id} (resumed: {Resumed}) with {Slots} slots")]
    public static partial void WorkerWelcome(ILogger logger, string name, string id, bool resumed, int slots);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Name} is not connected and tries again: {Reason}")]
    public static partial void WorkerAway(ILogger logger, string name, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The pool refuses worker {Name}, which tries again: {Status}: {Reason}")]
    public static partial void WorkerRefused(ILogger logger, string name, StatusCode status, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Worker {Name} failed and begins anew")]
    public static partial void WorkerFailed(ILogger logger, string name, Exception fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Name} takes no more; what runs has at most {Timeout}")]
    public static partial void WorkerDrains(ILogger logger, string name, TimeSpan timeout);

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {Name} has left")]
    public static partial void WorkerLeft(ILogger logger, string name);
}
