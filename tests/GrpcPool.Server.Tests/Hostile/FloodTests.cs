using static GrpcPool.Server.Tests.Hostile.RawCall;
using static GrpcPool.Server.Tests.Infrastructure.RawConnection;

namespace GrpcPool.Server.Tests.Hostile;

/// <summary>Floods of frames of HTTP/2, each of which costs its sender less than a server that does not see to it.</summary>
[Collection(nameof(Siege))]
public sealed class FloodTests
{
    private const int Connections = 2;

    /// <summary>Frames that go out together.</summary>
    private const int Together = 200;

    /// <summary>CVE-2023-44487: calls that are given up as soon as they are made never count as open.</summary>
    [Fact(Timeout = 120_000)]
    public Task Calls_that_are_reset_at_once() => FloodAsync(
        effort: 10_000, static number => [.. Frame(Headers, EndHeaders, (2 * number) + 1, Call(Submit)), .. Frame(Reset, 0, (2 * number) + 1, [0, 0, 0, 8])]);

    /// <summary>CVE-2025-8671: the server itself is made to reset each call.</summary>
    [Fact(Timeout = 120_000)]
    public Task Calls_that_the_server_is_made_to_reset() => FloodAsync(
        effort: 400, static number => [.. Frame(Headers, EndHeaders, (2 * number) + 1, Call(Submit)), .. Frame(WindowUpdate, 0, (2 * number) + 1, [0x7F, 0xFF, 0xFF, 0xFF])]);

    /// <summary>Headers that never end are kept until they do.</summary>
    [Theory(Timeout = 120_000)]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(10_000)]
    public Task Headers_that_go_on_for_ever(int bytes)
    {
        byte[] more = bytes == 0 ? [] : Header("x", new string('x', bytes));
        return FloodAsync(effort: 2_000, number => number == 0 ? Frame(Headers, 0, 1, Call(Submit)) : Frame(Continuation, 0, 1, more));
    }

    /// <summary>A large header that is sent once, and then named with one byte again and again.</summary>
    [Fact(Timeout = 120_000)]
    public Task Headers_that_grow_when_they_are_unpacked()
    {
        byte[] remembered = [0x40, .. Header("x", new string('x', 3_900))[1..]];
        byte[] named = [.. Call(Submit), .. remembered, .. Enumerable.Repeat((byte)0xBE, 12_000)];
        return FloodAsync(effort: 200, number => Frame(Headers, EndHeaders | EndStream, (2 * number) + 1, named));
    }

    /// <summary>Each is to be answered, and the answers are not read.</summary>
    [Fact(Timeout = 120_000)]
    public Task Pings() => FloodAsync(effort: 10_000, static _ => Frame(Ping, 0, 0, new byte[8]));

    /// <summary>As with pings.</summary>
    [Fact(Timeout = 120_000)]
    public Task Settings_that_change_all_the_time() => FloodAsync(effort: 10_000, static number => Frame(Settings, 0, 0, [0, 4, 0, 0, (byte)(number & 0x7F), 0xFF]));

    /// <summary>Frames that carry nothing and say nothing.</summary>
    [Fact(Timeout = 120_000)]
    public Task Data_without_any() => FloodAsync(effort: 10_000, static number => number == 0 ? Frame(Headers, EndHeaders, 1, Call(Submit)) : Frame(Data, 0, 1, []));

    [Fact(Timeout = 120_000)]
    public Task Windows_that_grow_a_byte_at_a_time() => FloodAsync(effort: 10_000, static _ => Frame(WindowUpdate, 0, 0, [0, 0, 0, 1]));

    /// <summary>Kestrel would wait for ever for what it has lost of them, and each such connection would be one less for all others.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Calls_whose_answers_are_not_read_leave_no_connection_behind()
    {
        await using Siege siege = await Siege.LayAsync("Limits:Connections=10");
        await FloodAsync(siege, effort: 20_000, static number =>
            [.. Frame(Headers, EndHeaders, (2 * number) + 1, Call(Submit)), .. Frame(Data, EndStream, (2 * number) + 1, new byte[5])]);
        await siege.ComeInAsync();
    }

    private static async Task FloodAsync(int effort, Func<int, byte[]> frame)
    {
        await using Siege siege = await Siege.LayAsync();
        await FloodAsync(siege, effort, frame);
    }

    private static Task FloodAsync(Siege siege, int effort, Func<int, byte[]> frame) =>
        siege.WithstandsAsync(attack => attack.OverAsync(Connections, async connection =>
        {
            for (int sent = 0; ; sent += Together)
            {
                await connection.SendAsync(Enumerable.Range(sent, Together).SelectMany(frame).ToArray());
                attack.Count(Together);
            }
        }), effort);
}
