using System.Text;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>A log as a client reads it: every message follows the one before without overlap.</summary>
internal sealed class LogReader(TestServer server, ReadLogRequest request) : IDisposable
{
    private readonly AsyncServerStreamingCall<ReadLogResponse> _call = server.Client.ReadLog(request, TestServer.Call);
    private readonly List<byte> _data = [];

    public byte[] Data => [.. _data];

    public string Text => Encoding.UTF8.GetString(Data);

    /// <summary>Where the next message begins at the earliest.</summary>
    public long Offset { get; private set; } = request.Offset;

    public long TruncatedBefore { get; private set; }

    public static async Task<LogReader> ReadToEndAsync(TestServer server, string id, long offset = 0)
    {
        var reader = new LogReader(server, new ReadLogRequest { Id = id, Offset = offset });
        await reader.UntilEndAsync();
        return reader;
    }

    /// <summary>Reads one message; false at the end.</summary>
    public async Task<bool> ReadAsync()
    {
        if (!await _call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            return false;
        ReadLogResponse message = _call.ResponseStream.Current;
        Assert.InRange(message.Data.Length, 1, 256 * 1024);
        Assert.True(message.Offset == Offset || (message.Offset > Offset && message.Offset == message.TruncatedBefore), "only what is no longer kept is left out");
        _data.AddRange(message.Data.Span);
        (Offset, TruncatedBefore) = (message.Offset + message.Data.Length, message.TruncatedBefore);
        return true;
    }

    public async Task UntilAsync(string text)
    {
        while (!Text.Contains(text, StringComparison.Ordinal))
            Assert.True(await ReadAsync(), "the log has ended");
    }

    public async Task UntilEndAsync()
    {
        while (await ReadAsync())
        {
        }
    }

    public async Task<RpcException> UntilRefusedAsync(StatusCode code) => await Refused.WithAsync(code, UntilEndAsync());

    public void Dispose() => _call.Dispose();
}
