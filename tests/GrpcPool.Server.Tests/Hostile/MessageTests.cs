using System.IO.Compression;
using static GrpcPool.Server.Tests.Hostile.RawCall;

namespace GrpcPool.Server.Tests.Hostile;

/// <summary>Messages that are, or say they are, larger than what is taken.</summary>
[Collection(nameof(Siege))]
public sealed class MessageTests
{
    /// <summary>A megabyte that would become a gigabyte.</summary>
    [Theory(Timeout = 120_000)]
    [InlineData(Submit)]
    [InlineData(SubmitStream)]
    public async Task What_inflates_a_thousandfold_is_refused(string method)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 1024; i++)
                gzip.Write(zeros);
        }

        await RefusesAsync(method, Message(packed.ToArray(), compressed: 1), ("grpc-encoding", "gzip"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(Submit, uint.MaxValue)]
    [InlineData(SubmitStream, uint.MaxValue)]
    [InlineData(Submit, (uint)int.MaxValue)]
    [InlineData(SubmitStream, (uint)int.MaxValue)]
    public Task What_says_that_it_has_gigabytes_is_refused(string method, uint length) => RefusesAsync(method, Message(new byte[1000], length: length));

    [Fact(Timeout = 120_000)]
    public Task Many_headers_are_refused() => RefusesAsync(Submit, [], [.. Enumerable.Range(0, 200).Select(static i => ($"x-{i}", "x"))]);

    [Fact(Timeout = 120_000)]
    public Task Large_headers_are_refused() => RefusesAsync(Submit, [], [.. Enumerable.Range(0, 4).Select(static i => ($"x-{i}", new string('x', 9_000)))]);

    /// <summary>Makes the call over and over: it must end by a status that is not that of success, or with its connection.</summary>
    private static async Task RefusesAsync(string method, byte[] body, params (string, string)[] headers)
    {
        await using Siege siege = await Siege.LayAsync();
        using var http = new HttpClient();
        await siege.WithstandsAsync(attack => Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            while (!attack.Stop.IsCancellationRequested)
            {
                try
                {
                    Assert.NotEqual("0", await PostAsync(http, attack.Address, method, new ByteArrayContent(body), attack.Stop, headers));
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
        })), effort: 20);
    }
}
