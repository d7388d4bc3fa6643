using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using GrpcPool.Server.Access;
using GrpcPool.Server.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Testing.Hostile;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Server.Tests.Access;

public sealed class TokenTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 20_000)]
    public async Task A_refusal_says_what_is_missing()
    {
        await using TestServer server = await TestServer.StartAsync(access: static access => access.Add("reader", Role.Read));
        RpcException missing = await Refused.WithAsync(StatusCode.Unauthenticated, server.Client.CountAsync(new CountRequest(), TestServer.Call));
        Assert.Equal("TOKEN_MISSING", missing.Detail<ErrorInfo>().Reason);
        RpcException unknown = await Refused.WithAsync(StatusCode.Unauthenticated, server.ClientAs("x").CountAsync(new CountRequest(), TestServer.Call));
        Assert.Equal("TOKEN_UNKNOWN", unknown.Detail<ErrorInfo>().Reason);
        RpcException role = await Refused.WithAsync(StatusCode.PermissionDenied, server.ClientAs("reader").SubmitAsync(Echo("a"), TestServer.Call));
        Assert.Equal("ROLE_MISSING", role.Detail<ErrorInfo>().Reason);
        Assert.Contains("lacks the role submit", role.Status.Detail, StringComparison.Ordinal);
    }

    /// <summary>The message of a call that is refused is read and forgotten: nothing in it is a beginning, or too large.</summary>
    [Theory(Timeout = 20_000)]
    [InlineData(1 << 20, null)]
    [InlineData(1000, uint.MaxValue)]
    public async Task A_refusal_is_told_whatever_the_message_is(int bytes, uint? length)
    {
        await using TestServer server = await TestServer.StartAsync(access: static access => access.Add("reader", Role.Read));
        using var http = new HttpClient();
        byte[] data = new byte[bytes];
        Array.Fill(data, byte.MaxValue);
        byte[] message = length is { } said ? RawCall.Message(data, length: said) : RawCall.Message(data);
        string status = await RawCall.PostAsync(http, server.GrpcAddress, RawCall.Submit, new ByteArrayContent(message), Stop, ("authorization", "Bearer reader"));
        Assert.Equal($"{(int)StatusCode.PermissionDenied}", status);
    }

    [Fact(Timeout = 20_000)]
    public async Task The_namespace_is_that_of_the_token_and_the_metadata_must_agree()
    {
        await using TestServer server = await TestServer.StartAsync(access: static access => access.Add("web", Role.Submit | Role.Read, "shop"));
        TaskInfo task = (await server.ClientAs("web").SubmitAsync(Echo("a"), TestServer.Call)).Task;
        Assert.Equal(("shop", "web"), (task.Namespace, task.SubmittedBy));
        await server.ClientAs("web").GetStatusAsync(new GetStatusRequest { Id = "a" }, TestServer.Call.WithHeaders([new("grpcpool-namespace", "shop")]));
        RpcException other = await Refused.WithAsync(
            StatusCode.PermissionDenied, server.ClientAs("web").GetStatusAsync(new GetStatusRequest { Id = "a" }, TestServer.Call.WithHeaders([new("grpcpool-namespace", "other")])));
        Assert.Equal("WRONG_NAMESPACE", other.Detail<ErrorInfo>().Reason);
    }

    [Fact(Timeout = 20_000)]
    public async Task Who_submitted_and_who_cancelled_is_told_and_operators_are_in_the_log()
    {
        await using TestServer server = await TestServer.StartAsync(access: static access =>
        {
            access.Add("web", Role.Submit | Role.Read);
            access.Add("ops", Role.Operate);
        });
        await server.ClientAs("web").SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = "a", Kind = "gate" } }, TestServer.Call);
        var filter = new CancelMatchingRequest { Filter = new TaskFilter { Kinds = { "gate" } } };
        Assert.Equal(1, (await server.ClientAs("ops").CancelMatchingAsync(filter, TestServer.Call)).Cancelled);
        server.Gate.Open();
        TaskInfo task = (await server.ClientAs("web").WaitAsync(new WaitRequest { Id = "a" }, TestServer.Call)).Task;
        Assert.Equal(("web", "ops"), (task.SubmittedBy, task.Cancellation.By));
        await Refused.WithAsync(StatusCode.NotFound, server.ClientAs("ops").DeleteAsync(new DeleteRequest { Id = "nobody" }, TestServer.Call));
        LogEntry done = await server.Log.WhenAsync(static entry => entry.Message.StartsWith("Audit: ops", StringComparison.Ordinal) && entry.Message.Contains("CancelMatching", StringComparison.Ordinal));
        LogEntry refused = await server.Log.WhenAsync(static entry => entry.Message.StartsWith("Audit: ops", StringComparison.Ordinal) && entry.Message.Contains("/Delete", StringComparison.Ordinal));
        Assert.EndsWith(": OK", done.Message);
        Assert.EndsWith(": NotFound", refused.Message);
    }

    [Fact(Timeout = 20_000)]
    public async Task Payload_and_result_are_hidden_from_who_may_only_submit()
    {
        await using TestServer server = await TestServer.StartAsync(access: static access =>
        {
            access.Add("blind", Role.Submit);
            access.Add("seeing", Role.Submit | Role.Read);
        });
        Assert.Equal("", await ResultSeenAsync(server, "blind"));
        Assert.Equal("secret", await ResultSeenAsync(server, "seeing"));
    }

    [Fact(Timeout = 20_000)]
    public async Task Tokens_are_rotated_by_their_file_without_a_restart()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("grpcpool-");
        string file = Path.Combine(folder.FullName, "hashes");
        await File.WriteAllTextAsync(file, $"# since Monday\n{Convert.ToHexString(TokenHash.Of("old"))}\n", Stop);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using (TestServer server = await TestServer.StartAsync(time: time, access: access => access.Tokens.Add("web", new TokenOptions { HashFile = file, Roles = { "read" } })))
        {
            Assert.Equal((StatusCode.OK, StatusCode.Unauthenticated), await AnswersAsync(server));
            await ReplaceAsync(server, time, file, (StatusCode.OK, StatusCode.OK), "old", "new");
            await ReplaceAsync(server, time, file, (StatusCode.Unauthenticated, StatusCode.OK), "new");

            await File.WriteAllTextAsync(file, "no hash", Stop);
            time.Advance(FileWatch.Interval);
            await server.Log.WhenAsync(static entry => entry.Message.Contains("cannot be used", StringComparison.Ordinal));
            Assert.Equal((StatusCode.Unauthenticated, StatusCode.OK), await AnswersAsync(server));
        }

        folder.Delete(recursive: true);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_refusal_is_understood_by_gRPC_Web_and_by_plain_HTTP()
    {
        await using TestServer server = await TestServer.StartAsync(access: static access => access.Add("web", Role.Read));
        using GrpcChannel channel = GrpcChannel.ForAddress(server.HttpAddress, new GrpcChannelOptions { HttpHandler = new GrpcWebHandler(GrpcWebMode.GrpcWeb, new HttpClientHandler()), HttpVersion = System.Net.HttpVersion.Version11 });
        RpcException missing = await Refused.WithAsync(StatusCode.Unauthenticated, new TaskPoolService.TaskPoolServiceClient(channel).CountAsync(new CountRequest(), TestServer.Call));
        Assert.Equal("TOKEN_MISSING", missing.Detail<ErrorInfo>().Reason);
        using var http = new HttpClient();
        using HttpResponseMessage plain = await http.GetAsync(new Uri(server.HttpAddress, "/"), Stop);
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, plain.StatusCode);
        Assert.Equal("ok\n", await http.GetStringAsync(new Uri(server.OpsAddress, "livez"), Stop));
    }

    /// <summary>Writes the file anew, and calls until it holds.</summary>
    private static async Task ReplaceAsync(TestServer server, FakeTimeProvider time, string file, (StatusCode, StatusCode) expected, params string[] tokens)
    {
        await File.WriteAllLinesAsync(file, tokens.Select(static token => Convert.ToHexString(TokenHash.Of(token))), Stop);
        time.Advance(FileWatch.Interval);
        while (await AnswersAsync(server) != expected)
            Stop.ThrowIfCancellationRequested();
    }

    private static async Task<(StatusCode Old, StatusCode New)> AnswersAsync(TestServer server)
    {
        IMethod count = server.Rpcs.Single(static rpc => rpc.FullName == "/grpcpool.v1.TaskPoolService/Count");
        return (await Tokens.AnswerOfAsync(server.As("old"), count), await Tokens.AnswerOfAsync(server.As("new"), count));
    }

    private static async Task<string> ResultSeenAsync(TestServer server, string token)
    {
        using AsyncServerStreamingCall<SubmitAndWatchResponse> call = server.ClientAs(token).SubmitAndWatch(
            new SubmitAndWatchRequest { Task = new TaskSpec { Id = token, Kind = "echo", Payload = Google.Protobuf.ByteString.CopyFromUtf8("secret") }, View = TaskView.Full }, TestServer.Call);
        TaskInfo? last = null;
        await foreach (SubmitAndWatchResponse response in call.ResponseStream.ReadAllAsync(Stop))
            last = response.Events.LastOrDefault(static told => told.Task is not null)?.Task ?? last;
        Assert.Equal(TaskState.Succeeded, last!.State);
        return last.Result.ToStringUtf8();
    }

    private static SubmitRequest Echo(string id) => new() { Task = new TaskSpec { Id = id, Kind = "echo" } };
}
