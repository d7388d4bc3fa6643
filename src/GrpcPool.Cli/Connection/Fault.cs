using Google.Rpc;
using Grpc.Core;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.Core.Storage;
using GrpcPool.V1;
using Microsoft.Extensions.Options;

namespace GrpcPool.Cli.Connection;

/// <summary>What a command tells when it cannot do as asked: one line, and its exit code.</summary>
internal sealed record Fault(string Text, int Code)
{
    private const string TaskPath = "].task.";

    /// <summary>The fault that an exception stands for; null where it is one of the program itself.</summary>
    public static Fault? Of(Exception error, Uri address) => error switch
    {
        RpcException call => OfCall(call, address),
        TaskGoneException gone => new Fault(gone.Message, ExitCodes.Fault),
        OptionsValidationException options => new Fault(string.Join(' ', options.Failures), ExitCodes.Usage),
        StorageException storage => new Fault(storage.Message, ExitCodes.Fault),
        IOException or UnauthorizedAccessException => new Fault(error.Message, ExitCodes.Fault),
        ArgumentException { ParamName: "path" } => new Fault("A path must not be empty, nor have a NUL.", ExitCodes.Usage),
        _ => null,
    };

    /// <summary>Ends a command that asks no server.</summary>
    public static int Guard(Func<int> command)
    {
        try
        {
            return command();
        }
        catch (Exception error) when (error is not RpcException && Of(error, null!) is { } fault)
        {
            fault.Tell();
            return fault.Code;
        }
    }

    /// <summary>The same for one task of many; its place in a message is of no use to anybody.</summary>
    public static Fault Of(SubmitError error)
    {
        int nameAt = error.Field.IndexOf(TaskPath, StringComparison.Ordinal);
        string text = nameAt < 0 ? error.Message : error.Message.Replace(error.Field[..(nameAt + TaskPath.Length)], "", StringComparison.Ordinal);
        return new Fault(text, CodeOf((StatusCode)error.Code));
    }

    public void Tell() => Console.Error.WriteLine($"grpcpool: {Text}");

    private static Fault OfCall(RpcException error, Uri address)
    {
        Google.Rpc.Status? status = error.GetRpcStatus();
        Exception? cause = error.Status.DebugException;
        if (status is null && (error.StatusCode == StatusCode.Unavailable || cause is HttpRequestException))
            return new Fault($"{address} is unreachable: {Wording.Line(cause?.GetBaseException().Message ?? error.Status.Detail)}", ExitCodes.Unreachable);

        string text = error.StatusCode switch
        {
            StatusCode.InvalidArgument when status?.GetDetail<BadRequest>() is { FieldViolations: { Count: > 0 } violations } =>
                $"{string.Join("; ", violations.Select(static violation => $"{violation.Field} {violation.Description}"))}.",
            StatusCode.ResourceExhausted when status?.GetDetail<RetryInfo>() is { } retry =>
                $"{error.Status.Detail}; try again in {retry.RetryDelay.ToTimeSpan().TotalSeconds} s.",
            _ => error.Status.Detail,
        };
        return new Fault(text, CodeOf(error.StatusCode));
    }

    private static int CodeOf(StatusCode code) => code switch
    {
        StatusCode.InvalidArgument => ExitCodes.Usage,
        StatusCode.Unavailable => ExitCodes.Unreachable,
        StatusCode.ResourceExhausted => ExitCodes.TryAgain,
        _ => ExitCodes.Fault,
    };
}
