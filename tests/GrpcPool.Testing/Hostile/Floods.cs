using System.IO.Compression;
using Google.Protobuf;
using GrpcPool.V1;
using static GrpcPool.Testing.Hostile.RawCall;
using static GrpcPool.Testing.Hostile.RawConnection;

namespace GrpcPool.Testing.Hostile;

/// <summary>Floods, each of which costs its sender less than a server that does not see to it.</summary>
internal static class Floods
{
    private const int Connections = 2;

    /// <summary>How many frames go out together: so few that their sender has not made megabytes of them before it notices that the server has ended the connection.</summary>
    private const int TogetherMax = 200, BytesTogether = 64 << 10;

    /// <summary>CVE-2023-44487: calls that are given up as soon as they are made never count as open.</summary>
    public static Task ResetAsync(Attack attack) => SendAsync(attack, static number =>
        [.. Frame(Headers, EndHeaders, Stream(number), Call(Submit)), .. Frame(Reset, 0, Stream(number), [0, 0, 0, 8])]);

    /// <summary>CVE-2025-8671: the server itself is made to reset each call.</summary>
    public static Task MakeResetAsync(Attack attack) => SendAsync(attack, static number =>
        [.. Frame(Headers, EndHeaders, Stream(number), Call(Submit)), .. Frame(WindowUpdate, 0, Stream(number), [0x7F, 0xFF, 0xFF, 0xFF])]);

    /// <summary>Headers that never end are kept until they do.</summary>
    public static Task ContinueAsync(Attack attack, int bytes)
    {
        byte[] more = bytes == 0 ? [] : Header("x", new string('x', bytes));
        return SendAsync(attack, number => number == 0 ? Frame(Headers, 0, 1, Call(Submit)) : Frame(Continuation, 0, 1, more));
    }

    /// <summary>A large header that is sent once, and then named with one byte again and again.</summary>
    public static Task UnpackAsync(Attack attack)
    {
        byte[] remembered = [0x40, .. Header("x", new string('x', 3_900))[1..]];
        byte[] named = [.. Call(Submit), .. remembered, .. Enumerable.Repeat((byte)0xBE, 12_000)];
        return SendAsync(attack, number => Frame(Headers, EndHeaders | EndStream, Stream(number), named));
    }

    /// <summary>Each is to be answered, and the answers are not read.</summary>
    public static Task PingAsync(Attack attack) => SendAsync(attack, static _ => Frame(Ping, 0, 0, new byte[8]));

    /// <summary>As with pings.</summary>
    public static Task SetAsync(Attack attack) => SendAsync(attack, static number => Frame(Settings, 0, 0, [0, 4, 0, 0, (byte)(number & 0x7F), 0xFF]));

    /// <summary>Frames that carry nothing and say nothing.</summary>
    public static Task SendNothingAsync(Attack attack) => SendAsync(attack, static number => number == 0 ? Frame(Headers, EndHeaders, 1, Call(Submit)) : Frame(Data, 0, 1, []));

    public static Task WidenAsync(Attack attack) => SendAsync(attack, static _ => Frame(WindowUpdate, 0, 0, [0, 0, 0, 1]));

    /// <summary>Calls whose answers are not read.</summary>
    public static Task CallAsync(Attack attack)
    {
        byte[] submit = Message(new SubmitRequest { Task = new TaskSpec { Kind = "echo", Retention = new() } }.ToByteArray());
        return SendAsync(attack, number => [.. Frame(Headers, EndHeaders, Stream(number), Call(Submit)), .. Frame(Data, EndStream, Stream(number), submit)]);
    }

    /// <summary>The same with messages that say nothing.</summary>
    public static Task CallBadlyAsync(Attack attack) => SendAsync(attack, static number =>
        [.. Frame(Headers, EndHeaders, Stream(number), Call(Submit)), .. Frame(Data, EndStream, Stream(number), new byte[5])]);

    /// <summary>Connections that end as soon as they stand.</summary>
    public static Task ConnectAsync(Attack attack) => attack.OverAsync(16, connection =>
    {
        attack.Count(1);
        return Task.CompletedTask;
    });

    /// <summary>A megabyte that would become a gigabyte.</summary>
    public static Task InflateAsync(Attack attack, string method)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 1024; i++)
                gzip.Write(zeros);
        }

        return PostAsync(attack, method, Message(packed.ToArray(), compressed: 1), ("grpc-encoding", "gzip"));
    }

    /// <summary>Messages that say that they have so many bytes.</summary>
    public static Task PromiseAsync(Attack attack, string method, uint length) => PostAsync(attack, method, Message(new byte[1000], length: length));

    /// <summary>Watchers of everything that never read, and tasks enough for none to have a window left.</summary>
    public static Task WatchAsync(Attack attack) => attack.OverAsync(10, async connection =>
    {
        const int Watchers = 250, Tasks = 2;
        byte[] watch = Message(new WatchRequest { Filter = new TaskFilter(), SkipSnapshot = true, View = TaskView.Full }.ToByteArray());
        byte[] submit = Message(new SubmitRequest { Task = new TaskSpec { Kind = "echo", Payload = ByteString.CopyFrom(new byte[1000]) } }.ToByteArray());
        for (int call = 0; call < Watchers + Tasks; call++)
        {
            (string method, byte[] message) = call < Watchers ? (Watch, watch) : (Submit, submit);
            await connection.SendAsync([.. Frame(Headers, EndHeaders, Stream(call), Call(method)), .. Frame(Data, EndStream, Stream(call), message)]);
            attack.Count(1);
        }

        await connection.UntilClosedAsync();
    });

    /// <summary>Makes the call over and over: it must end by a status that is not that of success, or with its connection.</summary>
    public static async Task PostAsync(Attack attack, string method, byte[] body, params (string, string)[] headers)
    {
        using var http = new HttpClient();
        await Task.WhenAll(Enumerable.Range(0, attack.Calls).Select(async _ =>
        {
            while (!attack.Stop.IsCancellationRequested)
            {
                try
                {
                    string status = await RawCall.PostAsync(http, attack.Address, method, new ByteArrayContent(body), attack.Stop, headers);
                    if (status == "0")
                        throw new InvalidOperationException("such a call must not succeed");
                }
                catch (Exception end) when (end is HttpRequestException or IOException)
                {
                    // That is an answer as well.
                }
                catch (OperationCanceledException)
                {
                    return;
                }

                attack.Count(1);
            }
        }));
    }

    /// <summary>Sends frames, by their number, over and over.</summary>
    private static Task SendAsync(Attack attack, Func<int, byte[]> frame) => attack.OverAsync(Connections, async connection =>
    {
        using var together = new MemoryStream();
        for (int number = 0; ; together.SetLength(0))
        {
            int sent = number;
            while (number - sent < TogetherMax && together.Length < BytesTogether)
                together.Write(frame(number++));
            await connection.SendAsync(together.ToArray());
            attack.Count(number - sent);
        }
    });

    private static int Stream(int number) => (2 * number) + 1;
}
