using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Cli.Watching;

/// <summary>Reads the log of a task; where the stream breaks while it follows, it goes on from there.</summary>
internal sealed class TaskLog(TaskPoolService.TaskPoolServiceClient service, string id)
{
    private const int TriesMax = 12;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private long _offset;

    /// <summary>How many bytes at the beginning were no longer kept when it was read.</summary>
    public long Missed { get; private set; }

    /// <summary>Reads to the log's end, or to that of the task.</summary>
    /// <param name="follow">Whether to go on as the log grows.</param>
    /// <param name="take">Gets the bytes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="RpcException">The server refused it, or stayed out of reach.</exception>
    public async Task ReadAsync(bool follow, Action<ReadOnlySpan<byte>> take, CancellationToken cancellationToken)
    {
        for (int tries = 0; ; tries++)
        {
            long before = _offset;
            try
            {
                await ReadOnceAsync(follow, take, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.Unavailable && follow && _offset > 0 && tries < TriesMax)
            {
                tries = _offset > before ? 0 : tries;
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReadOnceAsync(bool follow, Action<ReadOnlySpan<byte>> take, CancellationToken cancellationToken)
    {
        using AsyncServerStreamingCall<ReadLogResponse> call =
            service.ReadLog(new ReadLogRequest { Id = id, Offset = _offset, Follow = follow }, cancellationToken: cancellationToken);
        await foreach (ReadLogResponse part in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            Missed += part.Offset - _offset;
            _offset = part.Offset + part.Data.Length;
            take(part.Data.Span);
        }
    }
}
