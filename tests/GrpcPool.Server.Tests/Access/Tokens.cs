using Grpc.Core;
using GrpcPool.Server.Access;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Access;

/// <summary>Tokens whose text is their name.</summary>
internal static class Tokens
{
    public static void Add(this AccessOptions access, string name, Role roles, string @namespace = "default", string[]? queues = null, string[]? kinds = null)
    {
        var token = new TokenOptions { Hash = Convert.ToHexString(TokenHash.Of(name)), Namespace = @namespace };
        token.Roles.AddRange(Enum.GetValues<Role>().Where(role => role != Role.None && roles.HasFlag(role)).Select(RoleNames.Of));
        token.Queues.AddRange(queues ?? []);
        token.Kinds.AddRange(kinds ?? []);
        access.Tokens.Add(name, token);
    }

    public static TaskPoolService.TaskPoolServiceClient ClientAs(this TestServer server, string token) => new(server.As(token));

    /// <summary>How a call of one empty message is answered: OK as soon as anything comes.</summary>
    public static async Task<StatusCode> AnswerOfAsync(CallInvoker calls, IMethod rpc)
    {
        Marshaller<byte[]> bytes = Marshallers.Create<byte[]>(static value => value, static value => value);
        var method = new Method<byte[], byte[]>(MethodType.ServerStreaming, rpc.ServiceName, rpc.Name, bytes, bytes);
        using AsyncServerStreamingCall<byte[]> call = calls.AsyncServerStreamingCall(method, null, TestServer.Call, []);
        try
        {
            await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken);
            return StatusCode.OK;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }
}
