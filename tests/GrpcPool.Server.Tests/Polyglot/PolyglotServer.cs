using System.Text;
using Google.Protobuf;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>The server as the programs of all languages expect it: a process on a free port, with a queue <c>small</c> that is soon full.</summary>
internal sealed class PolyglotServer : IDisposable
{
    private readonly ServerProcess _process;
    private readonly GrpcChannel _channel;

    private PolyglotServer(ServerProcess process)
    {
        _process = process;
        _channel = GrpcChannel.ForAddress(process.GrpcAddress);
        Client = new TaskPoolService.TaskPoolServiceClient(_channel);
    }

    public TaskPoolService.TaskPoolServiceClient Client { get; }

    public Uri Address => _process.GrpcAddress;

    /// <summary>What the programs of other languages find the server by.</summary>
    public (string Name, string Value) Environment => EnvironmentOf(Address);

    public static (string Name, string Value) EnvironmentOf(Uri address) => ("GRPCPOOL_ADDRESS", address.Authority);

    public static async Task<PolyglotServer> StartAsync(params string[] settings) =>
        new(await ServerProcess.ServeAsync(["Pool:DrainTimeout=00:00:00", "Queues:small:Capacity=5", .. settings]));

    public async Task<TaskInfo> SubmitAsync(string kind, string payload) =>
        (await Client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = kind, Payload = ByteString.CopyFromUtf8(payload) } }, TestServer.Call)).Task;

    public async Task<TaskInfo> GetAsync(string id) => (await Client.GetStatusAsync(new GetStatusRequest { Id = id }, TestServer.Call)).Task;

    public async Task CancelAsync(string id) => await Client.CancelAsync(new CancelRequest { Id = id }, TestServer.Call);

    public async Task<string> ReadLogAsync(string id)
    {
        using var log = Client.ReadLog(new ReadLogRequest { Id = id }, TestServer.Call);
        var text = new StringBuilder();
        while (await log.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            text.Append(log.ResponseStream.Current.Data.ToStringUtf8());
        return text.ToString();
    }

    public async Task<TaskInfo> EndOfAsync(string id) =>
        (await Client.WaitAsync(new WaitRequest { Id = id, View = TaskView.Full }, TestServer.Call)).Task;

    /// <summary>Follows a task until it is as the test expects it, and returns it then.</summary>
    public async Task<TaskInfo> UntilAsync(string id, Func<TaskInfo, bool> isSo)
    {
        using var watch = Client.Watch(new WatchRequest { Ids = { id } }, TestServer.Call);
        while (await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
            if (watch.ResponseStream.Current.Events.FirstOrDefault(e => e.Task is not null && isSo(e.Task)) is { } seen)
                return seen.Task;
        }

        throw new InvalidOperationException($"{id} ended before: {await EndOfAsync(id)}");
    }

    public void Dispose()
    {
        _channel.Dispose();
        _process.Dispose();
    }
}
