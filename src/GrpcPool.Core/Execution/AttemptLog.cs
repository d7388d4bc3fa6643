using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>
/// What an attempt logs, on its way to the store: the first piece at once, then one a second while there is something to tell, the rest with the ending. A flood pushes
/// out its own beginning: at most twice the bound is in memory.
/// </summary>
/// <param name="executor">Commits the pieces.</param>
/// <param name="id">The task.</param>
/// <param name="claim">The attempt's claim.</param>
internal sealed class AttemptLog(Executor executor, TaskId id, long claim)
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();

    /// <summary>Most attempts log nothing.</summary>
    private TailBuffer? _buffer;
    private CancellationTokenSource? _closing;
    private Task _flushing = Task.CompletedTask;
    private bool _isFlushing;
    private bool _closed;

    public void Write(ReadOnlySpan<byte> text)
    {
        lock (_lock)
        {
            if (_closed || text.IsEmpty)
                return;
            (_buffer ??= new TailBuffer(executor.LogBytesMax)).Append(text);
            if (_isFlushing)
                return;
            _isFlushing = true;
            _closing ??= new CancellationTokenSource();
            _flushing = Task.Run(() => FlushAsync(_closing.Token));
        }
    }

    /// <summary>Takes no more, and answers what has not been committed, once nothing is on its way any more.</summary>
    public async ValueTask<LogPiece> CloseAsync()
    {
        lock (_lock)
            _closed = true;
        if (_buffer is null)
            return default;
        if (_closing is not null)
            await _closing.CancelAsync().ConfigureAwait(false);
        await _flushing.ConfigureAwait(false);
        lock (_lock)
            return Take_NeedsLock();
    }

    private async Task FlushAsync(CancellationToken closing)
    {
        while (TryTake(out LogPiece piece))
        {
            if (!await executor.TryAppendAsync(new AppendLog(id, claim, piece)).ConfigureAwait(false))
                PutBack(piece);
            await Task.Delay(FlushEvery, executor.Time, closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>False where there is nothing to flush: the next to write begins to flush again.</summary>
    private bool TryTake(out LogPiece piece)
    {
        lock (_lock)
        {
            piece = _closed ? default : Take_NeedsLock();
            return _isFlushing = !piece.Data.IsEmpty;
        }
    }

    private void PutBack(LogPiece piece)
    {
        lock (_lock)
        {
            LogPiece newer = Take_NeedsLock();
            _buffer!.Append(piece.Data.Span, piece.Skipped);
            _buffer.Append(newer.Data.Span, newer.Skipped);
        }
    }

    private LogPiece Take_NeedsLock()
    {
        (byte[] bytes, long skipped) = _buffer!.Take();
        return new LogPiece(bytes, skipped, executor.LogBytesMax);
    }
}
