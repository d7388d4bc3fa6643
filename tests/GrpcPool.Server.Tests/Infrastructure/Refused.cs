using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>What a refused call says.</summary>
internal static class Refused
{
    public static Task<RpcException> WithAsync<T>(StatusCode code, AsyncUnaryCall<T> call) => WithAsync(code, call.ResponseAsync);

    public static Task<RpcException> WithAsync<T>(StatusCode code, AsyncServerStreamingCall<T> call) => WithAsync(code, call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));

    public static async Task<RpcException> WithAsync(StatusCode code, Task call)
    {
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.True(refusal.StatusCode == code, $"{code} was expected, but it is {refusal.Status}");
        return refusal;
    }

    /// <summary>
    /// Sends a stream's first message while the answer to it is awaited already: once a call has been refused, whoever writes or begins to read may be told no more than that it was cancelled.
    /// </summary>
    public static async Task<bool> AnswerAsync<TRequest, TResponse>(this AsyncDuplexStreamingCall<TRequest, TResponse> stream, TRequest message)
    {
        Task<bool> answer = stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
        await Record.ExceptionAsync(() => stream.RequestStream.WriteAsync(message, TestContext.Current.CancellationToken));
        return await answer;
    }

    /// <summary>The fields that break their rules.</summary>
    public static async Task<string[]> FieldsAsync<T>(AsyncUnaryCall<T> call) => FieldsOf(await WithAsync(StatusCode.InvalidArgument, call));

    public static string[] FieldsOf(RpcException refusal) => [.. refusal.Detail<BadRequest>().FieldViolations.Select(static violation => violation.Field)];

    public static T Detail<T>(this RpcException refusal)
        where T : class, IMessage<T>, new() => Assert.IsType<T>(refusal.GetRpcStatus()?.GetDetail<T>());
}
