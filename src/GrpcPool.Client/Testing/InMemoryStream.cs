using System.Threading.Channels;
using Grpc.Core;

namespace GrpcPool.Client.Testing;

/// <summary>One direction of a call within the process.</summary>
internal sealed class InMemoryStream<T> : IServerStreamWriter<T>, IClientStreamWriter<T>
{
    private const int MessagesMax = 64;

    private readonly Channel<T> _messages = Channel.CreateBounded<T>(MessagesMax);

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        try
        {
            await _messages.Writer.WriteAsync(InMemoryInvoker.Copy(message), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is OperationCanceledException or ChannelClosedException)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "the call is over", fault));
        }
    }

    public Task CompleteAsync()
    {
        End(null);
        return Task.CompletedTask;
    }

    public void End(Exception? fault) => _messages.Writer.TryComplete(fault);

    public IAsyncStreamReader<T> ReaderOf(InMemoryCallContext context) => new Reader(_messages.Reader, context.CancellationToken);

    private sealed class Reader(ChannelReader<T> messages, CancellationToken ended) : IAsyncStreamReader<T>
    {
        public T Current { get; private set; } = default!;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(ended, cancellationToken);
            try
            {
                if (!await messages.WaitToReadAsync(both.Token).ConfigureAwait(false) || !messages.TryRead(out T? message))
                    return false;
                Current = message;
                return true;
            }
            catch (OperationCanceledException fault)
            {
                throw InMemoryInvoker.AsStatus(fault);
            }
        }
    }
}
