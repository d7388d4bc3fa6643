using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client.Tests.Infrastructure;

/// <summary>The side of the pool of a WorkerService, played by the test.</summary>
internal sealed class StubWorkers : WorkerService.WorkerServiceBase
{
    private readonly Channel<StubStream> _streams = Channel.CreateUnbounded<StubStream>();

    /// <summary>The status with which streams are refused; null: they are not.</summary>
    public Status? Refusal { get; set; }

    /// <summary>The next stream of a worker.</summary>
    public Task<StubStream> NextStreamAsync() => _streams.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask();

    public override async Task Connect(IAsyncStreamReader<ConnectRequest> requestStream, IServerStreamWriter<ConnectResponse> responseStream, ServerCallContext context)
    {
        var stream = new StubStream(responseStream);
        using var ending = new CancellationTokenSource();
        Task reading = stream.ReadAllAsync(requestStream, ending.Token);
        try
        {
            if (Refusal is { } refusal)
                throw new RpcException(refusal);
            _streams.Writer.TryWrite(stream);
            await await Task.WhenAny(reading, stream.Ended);
        }
        finally
        {
            // The next stream of the connection has the same reader.
            await ending.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}

/// <summary>One stream of a worker.</summary>
internal sealed class StubStream(IServerStreamWriter<ConnectResponse> writer)
{
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30), HeartbeatInterval = TimeSpan.FromSeconds(5);

    public const int ResultBytesMax = 1000;

    private readonly Channel<ConnectRequest> _said = Channel.CreateUnbounded<ConnectRequest>();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sequence;

    public Task Ended => _ended.Task;

    public Hello Hello { get; private set; } = new();

    /// <summary>What came, in order, heartbeats apart.</summary>
    public List<ConnectRequest> Seen { get; } = [];

    /// <summary>Breaks the stream.</summary>
    public void Cut(StatusCode code = StatusCode.Unavailable) => _ended.TrySetException(new RpcException(new Status(code, "cut")));

    /// <summary>Ends it in order.</summary>
    public void End() => _ended.TrySetResult();

    public async Task ReadAllAsync(IAsyncStreamReader<ConnectRequest> reader, CancellationToken ending)
    {
        try
        {
            while (await reader.MoveNext(ending))
                _said.Writer.TryWrite(reader.Current);
            _said.Writer.Complete();
            await Ended;
        }
        catch (IOException)
        {
            _said.Writer.TryComplete();
        }
    }

    /// <summary>Hears the hello, and welcomes the worker. Answers its first heartbeat.</summary>
    public async Task<WorkerHeartbeat> WelcomeAsync(string id = "w1")
    {
        Hello = (await NextAsync(ConnectRequest.MessageOneofCase.Hello)).Hello;
        var welcome = new Welcome
        {
            WorkerId = id,
            LeaseDuration = Duration.FromTimeSpan(LeaseDuration),
            HeartbeatInterval = Duration.FromTimeSpan(HeartbeatInterval),
            ResultBytesMax = ResultBytesMax,
        };
        await SayAsync(new ConnectResponse { Welcome = welcome });
        return (await NextAsync(ConnectRequest.MessageOneofCase.Heartbeat)).Heartbeat;
    }

    public Task SayAsync(ConnectResponse message) => writer.WriteAsync(message);

    public Task AssignAsync(params IEnumerable<string> ids) => AssignAsync("test", ids);

    public Task AssignAsync(string kind, IEnumerable<string> ids) =>
        SayAsync(new ConnectResponse { Assignments = new Assignments { Sequence = ++_sequence, Items = { ids.Select(id => new Assignment { Lease = Lease(id), Task = Info(id, kind) }) } } });

    public Task AssignAsync(TaskInfo task) =>
        SayAsync(new ConnectResponse { Assignments = new Assignments { Sequence = ++_sequence, Items = { new Assignment { Lease = Lease(task.Id), Task = task } } } });

    public Task AcceptAsync(long sequence) => SayAsync(new ConnectResponse { Accepted = new Accepted { Sequence = sequence } });

    public Task CancelAsync(string id, string reason) =>
        SayAsync(new ConnectResponse { Cancel = new CancelAttempt { Lease = Lease(id), Reason = reason, Grace = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)) } });

    public Task LoseAsync(string id) => SayAsync(new ConnectResponse { LeaseLost = new LeaseLost { Lease = Lease(id) } });

    public Task DrainAsync() => SayAsync(new ConnectResponse { Drain = new Drain() });

    /// <summary>The next message of a kind; what comes before it is seen, too.</summary>
    public async Task<ConnectRequest> NextAsync(ConnectRequest.MessageOneofCase kind)
    {
        while (true)
        {
            ConnectRequest message = await _said.Reader.ReadAsync(TestContext.Current.CancellationToken);
            if (message.MessageCase != ConnectRequest.MessageOneofCase.Heartbeat)
                Seen.Add(message);
            if (message.MessageCase == kind)
                return message;
        }
    }

    public async Task<Reports> NextReportsAsync() => (await NextAsync(ConnectRequest.MessageOneofCase.Reports)).Reports;

    public async Task<int> NextCreditAsync() => (await NextAsync(ConnectRequest.MessageOneofCase.Credit)).Credit.Slots;

    public async Task<WorkerHeartbeat> NextHeartbeatAsync() => (await NextAsync(ConnectRequest.MessageOneofCase.Heartbeat)).Heartbeat;

    /// <summary>Waits until the worker has closed its side; answers what it still said.</summary>
    public Task<List<ConnectRequest>> ClosedAsync() => _said.Reader.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync().AsTask();

    public static ByteString Token(string id) => ByteString.CopyFromUtf8($"token of {id}");

    private static Lease Lease(string id) => new() { TaskId = id, Attempt = 1, Token = Token(id) };

    private static TaskInfo Info(string id, string kind) =>
        new() { Namespace = "default", Id = id, Kind = kind, Queue = "default", State = TaskState.Running, Attempt = 1, Payload = ByteString.CopyFromUtf8(id), ContentType = "text/plain", Labels = { ["for"] = "test" } };
}
