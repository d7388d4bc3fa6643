using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Testing.Hostile;
using GrpcPool.V1;
using static GrpcPool.Testing.Hostile.RawCall;
using static GrpcPool.Testing.Hostile.RawConnection;

namespace GrpcPool.Server.Tests.Hostile;

/// <summary>Connections and calls that are begun and left as they are.</summary>
[Collection(nameof(Siege))]
public sealed class HoldingTests : IDisposable
{
    private static readonly WatchRequest Everything = new() { Filter = new TaskFilter(), View = TaskView.Full };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-holding-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>As many as there may be, of which none is for the others: those have theirs already.</summary>
    [Theory(Timeout = 120_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task More_connections_than_there_may_be_are_refused_and_those_that_stand_go_on(bool silent)
    {
        const int Most = 100;
        await using Siege siege = await Siege.LayAsync($"Limits:Connections={Most}");
        await siege.WithstandsAsync(attack => Task.WhenAll(Enumerable.Range(0, Most + 4).Select(async _ =>
        {
            while (!attack.Stop.IsCancellationRequested)
            {
                try
                {
                    // They say nothing at all, or half of a frame.
                    using RawConnection connection = await OpenAsync(attack.Address, attack.Stop);
                    if (!silent)
                        await connection.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"u8.ToArray());
                    await connection.UntilClosedAsync();
                }
                catch (Exception end) when (end is IOException or SocketException or OperationCanceledException)
                {
                    // Refused, or the attack is over.
                }

                attack.Count(1);
            }
        })), effort: 100);
    }

    /// <summary>Calls that are begun and say no more, and as many of them as a connection may have.</summary>
    [Theory(Timeout = 120_000)]
    [InlineData(Submit)]
    [InlineData(SubmitStream)]
    [InlineData(Watch)]
    public async Task Calls_that_say_nothing_are_in_nobodys_way(string method)
    {
        await using Siege siege = await Siege.LayAsync();
        await siege.WithstandsAsync(attack => attack.OverAsync(10, async connection =>
        {
            for (int call = 0; call < 1000; call++)
            {
                await connection.SendAsync(Frame(Headers, EndHeaders, (2 * call) + 1, Call(method)));
                attack.Count(1);
            }

            await connection.UntilClosedAsync();
        }), effort: 10_000);
    }

    /// <summary>A message that lacks its last byte is kept for it: a gigabyte of them must not be.</summary>
    [Theory(Timeout = 120_000)]
    [InlineData(Submit)]
    [InlineData(SubmitStream)]
    public async Task Messages_that_never_end_make_room_for_those_that_do(string method)
    {
        const int Connections = 10, Calls = 25;
        await using Siege siege = await Siege.LayAsync();
        byte[] part = Message(new byte[(4 << 20) - 1], length: 4 << 20);
        await siege.WithstandsAsync(attack => Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            using var http = new HttpClient();
            await Task.WhenAll(Enumerable.Range(0, Calls).Select(async _ =>
            {
                while (!attack.Stop.IsCancellationRequested)
                {
                    try
                    {
                        await PostAsync(http, attack.Address, method, new Unfinished(part, bytes => attack.Count(bytes), attack.Stop), attack.Stop);
                    }
                    catch (Exception end) when (end is HttpRequestException or IOException or OperationCanceledException)
                    {
                        // It has had to make room, or the attack is over.
                    }
                }
            }));
        })), effort: 400 << 20);
        await siege.CallAsync(ByteString.CopyFrom(new byte[1_000_000]));
    }

    [Fact(Timeout = 120_000)]
    public async Task Watchers_that_never_read_hold_little()
    {
        const int Watchers = 200;
        await using Siege siege = await Siege.LayAsync("Limits:WatchWriteTimeout=00:00:01");
        await siege.WithstandsAsync(attack => attack.OverAsync(10, async connection =>
        {
            await WatchAsync(connection, Watchers / 10, Everything);
            while (!attack.Stop.IsCancellationRequested)
            {
                await siege.CallAsync(ByteString.CopyFrom(new byte[20_000]));
                attack.Count(1);
            }
        }), effort: 200);
    }

    /// <summary>Each may be blocked for half a minute, and all that each has yet to read is more than there is memory: they have to make room before that.</summary>
    [Theory(Timeout = 120_000)]
    [InlineData("by a filter", "memory")]
    [InlineData("by a filter", "sqlite")]
    [InlineData("by ids", "memory")]
    [InlineData("by ids", "sqlite")]
    public async Task Watchers_of_large_tasks_that_never_read_make_room_for_one_that_does(string how, string storage)
    {
        const int Watchers = 200, Tasks = 20;
        var large = ByteString.CopyFrom(new byte[500_000]);
        await using Siege siege = await Siege.LayAsync($"Storage:Type={storage}", $"Storage:Path={_folder.FullName}/tasks.db");
        using var channel = GrpcChannel.ForAddress(siege.Address, new GrpcChannelOptions { MaxReceiveMessageSize = null });
        var client = new TaskPoolService.TaskPoolServiceClient(channel);
        string[] ids = [.. Enumerable.Range(0, Tasks).Select(static i => $"t{i}")];
        foreach (string id in ids.Take(Tasks / 2))
            await client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = id, Kind = "echo", Payload = large } }, TestServer.Call);
        using AsyncServerStreamingCall<WatchResponse> watch = client.Watch(new WatchRequest { Filter = new TaskFilter(), View = TaskView.Full }, TestServer.Call);
        HashSet<string> ended = [];
        await ReadEndsAsync(watch, ended, Tasks / 2);
        WatchRequest request = how == "by ids" ? new WatchRequest { Ids = { ids.Take(Tasks / 2) }, View = TaskView.Full } : Everything;
        await siege.WithstandsAsync(async attack =>
        {
            Task attacking = attack.OverAsync(10, async connection =>
            {
                await WatchAsync(connection, Watchers / 10, request);
                attack.Count(Watchers / 10);
                await connection.UntilClosedAsync();
            });
            Task reading = ReadEndsAsync(watch, ended, Tasks);
            foreach (string id in ids.Skip(Tasks / 2))
                await client.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Id = id, Kind = "echo", Payload = large } }, TestServer.Call);
            await reading;
            attack.Count(1);
            await attacking;
        }, effort: Watchers + 1);
    }

    /// <summary>Each has a window of its own that is never given back.</summary>
    private static async Task WatchAsync(RawConnection connection, int watchers, WatchRequest request)
    {
        byte[] message = Message(request.ToByteArray());
        for (int call = 0; call < watchers; call++)
            await connection.SendAsync([.. Frame(Headers, EndHeaders, (2 * call) + 1, Call(Watch)), .. Frame(Data, EndStream, (2 * call) + 1, message)]);
    }

    /// <summary>Notes the tasks of which a watch tells, with their results, that they have succeeded, until there are so many.</summary>
    private static async Task ReadEndsAsync(AsyncServerStreamingCall<WatchResponse> watch, HashSet<string> ended, int count)
    {
        while (ended.Count < count)
        {
            Assert.True(await watch.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
            ended.UnionWith(watch.ResponseStream.Current.Events.Where(static told => told.Task is { State: TaskState.Succeeded, Result.Length: > 0 }).Select(static told => told.Task.Id));
        }
    }
}
