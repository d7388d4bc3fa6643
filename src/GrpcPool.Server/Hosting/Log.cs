using System.Net;
using Grpc.Core;
using GrpcPool.Core.Storage;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Hosting;

/// <summary>What the server writes to the log.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Listening: gRPC on {Grpc}, HTTP on {Http}, operations on {Ops}")]
    public static partial void Listening(ILogger logger, string grpc, string http, string ops);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Listen:AllowInsecure is set: what goes to {Grpc} or {Http} in cleartext can be read on its way, and where no tokens are named, whoever reaches them may use the pool")]
    public static partial void Insecure(ILogger logger, string grpc, string http);

    [LoggerMessage(Level = LogLevel.Error, Message = "The call {Method} failed")]
    public static partial void CallFailed(ILogger logger, string method, Exception fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The store refused the call {Method} ({Fault}): {Reason}")]
    public static partial void StoreRefused(ILogger logger, string method, StorageFault fault, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "A reader of {Method} has not read for {Timeout}: its stream is ended, what it knows is up to {Known}")]
    public static partial void ReaderStuck(ILogger logger, TimeSpan timeout, string method, long known);

    [LoggerMessage(Level = LogLevel.Information, Message = "Audit: {Token} (namespace {Namespace}, from {Address}) called {Method}: {Outcome}")]
    public static partial void Audited(ILogger logger, string token, string @namespace, IPAddress? address, string method, StatusCode outcome);

    [LoggerMessage(Level = LogLevel.Information, Message = "A token from {Address} was refused: {Reason}")]
    public static partial void TokenRefused(ILogger logger, IPAddress? address, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} cannot be used ({Reason}): what it said before still holds")]
    public static partial void FileRefused(ILogger logger, string path, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Path} has changed: what it says now holds")]
    public static partial void FileReloaded(ILogger logger, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection was refused: {Max} are open")]
    public static partial void ConnectionRefused(ILogger logger, int max);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection has ended, and its calls have not {Linger} later: its other end has sent them and read no answers. It is left to itself")]
    public static partial void ConnectionLeft(ILogger logger, TimeSpan linger);
}
