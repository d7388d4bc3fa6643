using System.Diagnostics;
using System.Runtime.Versioning;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Access;
using GrpcPool.Server.Tests.Access;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Server.Tests.Polyglot;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Workers;

/// <summary>Workers that the server itself starts, where it asks for tokens.</summary>
[SupportedOSPlatform("linux")]
public sealed class SupervisedAccessTests
{
    private const int TimeoutMs = 600_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = TimeoutMs)]
    [InlineData("python", false)]
    [InlineData("python", true)]
    [InlineData("node", false)]
    [InlineData("go", false)]
    [InlineData("java", false)]
    [InlineData("cpp", false)]
    public async Task A_worker_of_the_server_needs_no_token_in_the_settings(string name, bool bySocket)
    {
        Language language = await Language.RequireAsync(name);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("grpcpool-supervised-");
        try
        {
            string socket = Path.Combine(folder.FullName, "pool.sock");
            string[] settings =
            [
                $"Access:Tokens:web:Hash={Convert.ToHexString(TokenHash.Of("web"))}", "Access:Tokens:web:Roles:0=submit", "Access:Tokens:web:Roles:1=read", "UndeclaredKinds=Queue",
                .. bySocket ? (string[])[$"Listen:Socket={socket}", $"Workers:Processes:w:Environment:GRPCPOOL_ADDRESS=unix:{socket}"] : [], .. Program(language),
            ];
            using ServerProcess server = await ServerProcess.ServeAsync(settings);
            using var channel = GrpcChannel.ForAddress(server.GrpcAddress);
            var client = new TaskPoolService.TaskPoolServiceClient(channel);
            var metadata = new Metadata { { "authorization", "Bearer web" } };
            var spec = new TaskSpec { Id = "t", Kind = $"{name}.reverse", Payload = ByteString.CopyFromUtf8("abc") };
            await client.SubmitAsync(new SubmitRequest { Task = spec }, metadata, cancellationToken: Stop);
            TaskInfo ended = (await client.WaitAsync(new WaitRequest { Id = "t", View = TaskView.Full }, metadata, cancellationToken: Stop)).Task;
            await server.SignalAsync("TERM");
            (int code, string output, string errors) = await server.EndAsync();

            Assert.Equal((TaskState.Succeeded, "cba"), (ended.State, ended.Result.ToStringUtf8()));
            Assert.Equal(0, code);
            Assert.DoesNotContain("gpt_", output + errors, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Its_token_is_for_this_worker_alone_and_ends_with_its_process()
    {
        await using TestServer server = await TestServer.StartAsync(
            static options =>
            {
                options.Workers.Processes["given"] = Shell("echo $$ $GRPCPOOL_WORKER_NAME $GRPCPOOL_TOKEN; exec sleep 600");
                options.Workers.Processes["own"] = Shell("echo token $GRPCPOOL_TOKEN; exec sleep 600");
                options.Workers.Processes["own"].Environment["GRPCPOOL_TOKEN"] = "declared";
            },
            access: static access => access.Add("web", Role.Submit));
        await server.Log.WhenAsync(static entry => entry.Message.EndsWith(": token declared", StringComparison.Ordinal));
        LogEntry said = await server.Log.WhenAsync(static entry => entry.Message.Contains(" gpt_", StringComparison.Ordinal));
        string[] words = said.Message.Split(' ')[^3..];
        (string process, string worker, string token) = (words[0], words[1], words[2]);

        Assert.Equal(StatusCode.OK, await ConnectAsync(server, token, worker));
        Assert.Equal(StatusCode.PermissionDenied, await ConnectAsync(server, token, "another"));
        await Refused.WithAsync(StatusCode.PermissionDenied, server.ClientAs(token).CountAsync(new CountRequest(), TestServer.Call));

        using (var kill = Process.Start("kill", ["-KILL", process]))
            await kill.WaitForExitAsync(Stop);
        await server.Log.WhenAsync(entry => entry.Message.Contains($"{worker} has failed", StringComparison.Ordinal));
        Assert.Equal(StatusCode.Unauthenticated, await ConnectAsync(server, token, worker));
    }

    private static async Task<StatusCode> ConnectAsync(TestServer server, string token, string name)
    {
        using AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> stream = new WorkerService.WorkerServiceClient(server.As(token)).Connect(TestServer.Call);
        try
        {
            Assert.True(await stream.AnswerAsync(new ConnectRequest { Hello = new Hello { WorkerName = name, Kinds = { "remote" }, Slots = 1 } }));
            return StatusCode.OK;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }

    private static WorkerProcessOptions Shell(string script) => new() { Command = "/bin/sh", Arguments = { "-c", script } };

    /// <summary>The worker of a language, as the settings name it.</summary>
    private static IEnumerable<string> Program(Language language)
    {
        yield return "Workers:Processes:w:Command=/usr/bin/env";
        yield return $"Workers:Processes:w:WorkingDirectory={Script.FolderOf(language.Name)}";
        for (int i = 0; i < language.Worker.Length; i++)
            yield return $"Workers:Processes:w:Arguments:{i}={language.Worker[i]}";
    }
}
