using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>Sends items over one stream after another; what a broken one has left unanswered goes first over the next.</summary>
internal sealed class BulkStreams(PoolLink link, ChannelReader<BulkItem> ready, Action<BulkItem, SubmitStreamResult> answered)
{
    private const int MessageItemsMax = 500;
    private const int MessageBytesMax = 1 << 20;

    /// <summary>What was sent, in order; the answers come in the same.</summary>
    private readonly ConcurrentQueue<BulkItem> _unanswered = new();

    private readonly Patience _patience = new(link.Options.RetryFor, link.Time);

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!_unanswered.IsEmpty || await ready.WaitToReadAsync(cancellation).ConfigureAwait(false))
        {
            TimeSpan pause;
            try
            {
                await ExchangeAsync(cancellation).ConfigureAwait(false);
                pause = TimeSpan.Zero;
            }
            catch (RpcException error) when (cancellation.IsCancellationRequested)
            {
                throw new OperationCanceledException(error.Message, error, cancellation);
            }
            catch (RpcException error) when (_patience.Allows(error, out pause))
            {
            }

            await Task.Delay(pause, link.Time, cancellation).ConfigureAwait(false);
        }
    }

    private async Task ExchangeAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using AsyncDuplexStreamingCall<SubmitStreamRequest, SubmitStreamResponse> call = link.Service.SubmitStream(new CallOptions(cancellationToken: ending.Token));
        Task writing = WriteAsync(call.RequestStream, ending);
        try
        {
            while (await call.ResponseStream.MoveNext(ending.Token).ConfigureAwait(false))
                Take(call.ResponseStream.Current);
            if (!_unanswered.IsEmpty)
                throw new RpcException(new Status(StatusCode.Unavailable, "the server ended the stream before it had answered all"));
        }
        finally
        {
            // How a stream broke is what its reader sees.
            await ending.CancelAsync().ConfigureAwait(false);
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Take(SubmitStreamResponse response)
    {
        foreach (SubmitStreamResult result in response.Results)
        {
            if (!_unanswered.TryPeek(out BulkItem? item) || item.Index != result.Sequence)
                throw new InvalidOperationException($"The server answered item {result.Sequence} out of turn.");
            _unanswered.TryDequeue(out _);
            answered(item, result);
        }

        _patience.Renew();
    }

    private async Task WriteAsync(IClientStreamWriter<SubmitStreamRequest> stream, CancellationTokenSource ending)
    {
        try
        {
            foreach (SubmitStreamRequest message in Pack([.. _unanswered]))
                await stream.WriteAsync(message, ending.Token).ConfigureAwait(false);
            while (await ready.WaitToReadAsync(ending.Token).ConfigureAwait(false))
            {
                foreach (SubmitStreamRequest message in Pack(TakeReady()))
                    await stream.WriteAsync(message, ending.Token).ConfigureAwait(false);
            }

            await stream.CompleteAsync().ConfigureAwait(false);
        }
        catch
        {
            await ending.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private List<BulkItem> TakeReady()
    {
        var items = new List<BulkItem>();
        while (items.Count < MessageItemsMax && ready.TryRead(out BulkItem? item))
        {
            items.Add(item);
            _unanswered.Enqueue(item);
        }

        return items;
    }

    private static IEnumerable<SubmitStreamRequest> Pack(IEnumerable<BulkItem> items)
    {
        var message = new SubmitStreamRequest();
        int bytes = 0;
        foreach (SubmitStreamItem item in items.Select(static item => item.ToStreamItem()))
        {
            int size = item.CalculateSize();
            if (message.Items.Count == MessageItemsMax || (message.Items.Count > 0 && bytes + size > MessageBytesMax))
            {
                yield return message;
                (message, bytes) = (new SubmitStreamRequest(), 0);
            }

            message.Items.Add(item);
            bytes += size;
        }

        if (message.Items.Count > 0)
            yield return message;
    }
}
