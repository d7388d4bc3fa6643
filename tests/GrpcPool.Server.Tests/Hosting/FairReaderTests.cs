using System.Buffers;
using System.IO.Pipelines;
using GrpcPool.Server.Hosting;
using Microsoft.Extensions.Time.Testing;
using static GrpcPool.Testing.Hostile.RawConnection;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>How much of what a connection has sent ahead is read before others come to their turn.</summary>
public sealed class FairReaderTests
{
    private const int FramesPerTurn = 32, FrameBytes = 10;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly FairReader _reader;

    public FairReaderTests() => _reader = new FairReader(_pipe.Reader, new ConnectionPace(_time), _time, CancellationToken.None);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 20_000)]
    public async Task A_turn_has_no_more_than_a_few_frames()
    {
        await SendAsync([.. Preface, .. Frames(3 * FramesPerTurn, Headers)]);
        Assert.Equal([Preface.Length + (FramesPerTurn * FrameBytes), FramesPerTurn * FrameBytes, FramesPerTurn * FrameBytes], (await ReadAsync(static length => length)).Lengths);
    }

    [Theory(Timeout = 20_000)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nothing_is_lost_or_changed_however_it_comes_and_is_taken(int seed)
    {
        var random = new Random(seed);
        byte[] sent = [.. Preface, .. Enumerable.Range(0, 500).SelectMany(_ => Frame(Data, 0, 1, RandomBytes(random)))];
        var taken = new Random(seed);
        Task<(List<long>, byte[] Bytes)> reading = ReadAsync(length => taken.NextInt64(1, length + 1));
        await SendAsync(sent, random);
        Assert.Equal(sent, (await reading).Bytes);
    }

    [Fact(Timeout = 20_000)]
    public async Task Frames_that_say_nothing_are_read_at_a_bounded_pace()
    {
        await SendAsync([.. Preface, .. Frames(1_500, Settings)]);
        Task reading = ReadAsync(static length => length);
        TimeSpan passed = TimeSpan.Zero;
        for (; !reading.IsCompleted; passed += TimeSpan.FromMilliseconds(1))
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await reading;
        Assert.InRange(passed.TotalSeconds, 0.9, double.MaxValue); // 500 at once, and then 1,000 a second; the last turn is not waited for.
    }

    [Fact(Timeout = 20_000)]
    public async Task Calls_and_what_they_carry_are_not_held_up()
    {
        await SendAsync([.. Preface, .. Frames(5_000, Headers), .. Frames(5_000, Data)]);
        Assert.Equal(Preface.Length + (10_000 * FrameBytes), (await ReadAsync(static length => length)).Bytes.Length);
    }

    private static byte[] RandomBytes(Random random)
    {
        byte[] bytes = new byte[random.Next(20) == 0 ? random.Next(1, 20_000) : random.Next(1, 40)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Frames(int count, byte type) => [.. Enumerable.Range(0, count).SelectMany(_ => Frame(type, 0, 1, [7]))];

    /// <summary>Sends all there is, in pieces where they are to be random.</summary>
    private async Task SendAsync(byte[] bytes, Random? pieces = null)
    {
        for (int at = 0, length; at < bytes.Length; at += length)
        {
            length = Math.Min(pieces?.Next(1, 3_000) ?? bytes.Length, bytes.Length - at);
            await _pipe.Writer.WriteAsync(bytes.AsMemory(at, length), Stop);
        }

        await _pipe.Writer.CompleteAsync();
    }

    /// <summary>Reads to the end, and takes so much of each piece.</summary>
    private async Task<(List<long> Lengths, byte[] Bytes)> ReadAsync(Func<long, long> take)
    {
        var lengths = new List<long>();
        var bytes = new MemoryStream();
        while (true)
        {
            ReadResult result = await _reader.ReadAsync(Stop);
            if (result is { IsCompleted: true, Buffer.IsEmpty: true })
                return (lengths, bytes.ToArray());
            lengths.Add(result.Buffer.Length);
            ReadOnlySequence<byte> taken = result.Buffer.Slice(0, take(result.Buffer.Length));
            bytes.Write(taken.ToArray());
            _reader.AdvanceTo(taken.End);
        }
    }
}
