using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Testing.Hostile;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hostile;

/// <summary>
/// A server in a process of its own that is attacked while somebody else uses it. Its heap is limited, so that what grows without a bound ends it; that it lives, that its
/// memory stayed below a bound, that each call of the other client succeeded, and that it has logged no error, is asserted for each attack.
/// </summary>
internal sealed class Siege : IAsyncDisposable
{
    /// <summary>How many calls the other client makes under attack.</summary>
    private const int CallsMin = 30;

    private const string HeapBytesMax = "0xC800000"; // 200 MiB

    private const long PeakBytesMax = 400L << 20;

    private readonly ServerProcess _server;
    private readonly Task<(int Code, string Output, string Errors)> _end;
    private readonly GrpcChannel _channel;
    private readonly TaskPoolService.TaskPoolServiceClient _client;

    private Siege(ServerProcess server)
    {
        (_server, _end) = (server, server.EndAsync());
        _channel = GrpcChannel.ForAddress(server.GrpcAddress);
        _client = new TaskPoolService.TaskPoolServiceClient(_channel);
    }

    public Uri Address => _server.GrpcAddress;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<Siege> LayAsync(params string[] settings)
    {
        var siege = new Siege(await ServerProcess.ServeAsync(
            ["Listen:Http=", "Listen:Ops=", "Storage:Type=memory", .. settings], new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = HeapBytesMax }, Stop));
        try
        {
            await siege.CallAsync(); // The connection of the others stands before the attack.
            return siege;
        }
        catch
        {
            siege._server.Dispose();
            throw;
        }
    }

    /// <summary>Attacks until the other client has made its calls and the attack has done so much.</summary>
    /// <param name="attack">Attacks until it is stopped, and counts what it has done.</param>
    /// <param name="effort">How much it must have done, so that it is an attack at all.</param>
    public async Task WithstandsAsync(Func<Attack, Task> attack, int effort)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var state = new Attack(Address, stop.Token);
        Task attacking = Task.Run(() => attack(state), Stop);
        for (int calls = 0; calls < CallsMin || (state.Done < effort && !attacking.IsCompleted); calls++)
            await CallAsync();
        await stop.CancelAsync();
        await attacking;
        Assert.InRange(state.Done, effort, long.MaxValue);
        await CallAsync();
        Assert.InRange(_server.PeakBytes, 1, PeakBytesMax);
    }

    /// <summary>A task from its submission to its end.</summary>
    public async Task CallAsync(ByteString? payload = null)
    {
        var request = new SubmitAndWatchRequest { Task = new TaskSpec { Kind = "echo", Payload = payload ?? ByteString.Empty, Retention = new() } };
        using AsyncServerStreamingCall<SubmitAndWatchResponse> call = _client.SubmitAndWatch(request, TestServer.Call);
        TaskState state = TaskState.Unspecified;
        await foreach (SubmitAndWatchResponse response in call.ResponseStream.ReadAllAsync(Stop))
            state = response.Events.LastOrDefault(static told => told.Task is not null)?.Task.State ?? state;
        Assert.Equal(TaskState.Succeeded, state);
    }

    /// <summary>Ends when there is a place for a new connection.</summary>
    public async Task ComeInAsync()
    {
        using GrpcChannel channel = GrpcChannel.ForAddress(Address);
        var newcomer = new TaskPoolService.TaskPoolServiceClient(channel);
        CountResponse? answer = null;
        while (answer is null)
        {
            try
            {
                answer = await newcomer.CountAsync(new CountRequest(), TestServer.Call.WithWaitForReady());
            }
            catch (RpcException refused) when (refused.StatusCode is StatusCode.Unavailable or StatusCode.Internal)
            {
                // All places are taken still.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _server.SignalAsync("TERM");
        (int code, string output, string errors) = await _end;
        _server.Dispose();
        Assert.True(code == 0, $"the server ended with {code}: {output}{errors}");
        bool faulty = output.Split('\n').Any(static line => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal));
        Assert.False(faulty, $"the server tells of a fault: {output}");
    }
}
