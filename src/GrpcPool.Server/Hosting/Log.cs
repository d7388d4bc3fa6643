using GrpcPool.Core.Storage;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Hosting;

/// <summary>What the server writes to the log.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Listening: gRPC on {Grpc}, HTTP on {Http}, operations on {Ops}")]
    public static partial void Listening(ILogger logger, string grpc, string http, string ops);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Listen:AllowInsecure is set: whoever reaches {Grpc} or {Http} may use the pool, without encryption or password")]
    public static partial void Insecure(ILogger logger, string grpc, string http);

    [LoggerMessage(Level = LogLevel.Error, Message = "The call {Method} failed")]
    public static partial void CallFailed(ILogger logger, string method, Exception fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store refused the call {Method} ({Fault}): {Reason}")]
    public static partial void StoreRefused(ILogger logger, string method, StorageFault fault, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "A reader of {Method} has not read for {Timeout}: its stream is ended, what it knows is up to {Known}")]
    public static partial void ReaderStuck(ILogger logger, TimeSpan timeout, string method, long known);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection was refused: {Max} are open")]
    public static partial void ConnectionRefused(ILogger logger, int max);
}
