using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>What an attempt says before its end: goes out at once, then at a bounded rate. A flood pushes out its own beginning.</summary>
/// <param name="announce">Puts the attempt into the news.</param>
/// <param name="time">The clock.</param>
internal sealed class AttemptNews(Action announce, TimeProvider time)
{
    private const int LogBytesMax = 256 * 1024;

    private static readonly TimeSpan TellEvery = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private Progress? _progress;
    private byte[] _log = [];
    private int _logBytes;
    private bool _isAnnounced;
    private long? _toldAt;
    private ITimer? _timer;

    public void Report(Progress progress)
    {
        progress.UpdatedAt = Timestamp.FromDateTimeOffset(time.GetUtcNow());
        lock (_lock)
        {
            _progress = progress;
            Announce_NeedsLock();
        }
    }

    public void Write(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            return;
        lock (_lock)
        {
            Append_NeedsLock(text.Length > LogBytesMax ? text[^LogBytesMax..] : text);
            Announce_NeedsLock();
        }
    }

    /// <summary>Adds what has been said since the last time.</summary>
    public void Tell(ReportBatch batch, Lease lease)
    {
        lock (_lock)
        {
            if (_logBytes > 0)
                batch.Add(new Report { Lease = lease, Log = TakeLog_NeedsLock() }, Math.Min(_logBytes, LogBytesMax));
            if (_progress is not null)
                batch.Add(new Report { Lease = lease, Progress = _progress });
            (_progress, _logBytes, _isAnnounced, _toldAt) = (null, 0, false, time.GetTimestamp());
        }
    }

    private void Announce_NeedsLock()
    {
        if (_isAnnounced)
            return;
        _isAnnounced = true;
        TimeSpan passed = _toldAt is { } at ? time.GetElapsedTime(at) : TellEvery;
        if (passed >= TellEvery)
            announce();
        else
            _timer = time.CreateTimer(static self => ((AttemptNews)self!).OnTimer(), this, TellEvery - passed, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }

        announce();
    }

    /// <summary>At twice the bound the older half goes, so that a byte is moved once at most.</summary>
    private void Append_NeedsLock(ReadOnlySpan<byte> text)
    {
        if (_logBytes + text.Length > 2 * LogBytesMax)
        {
            int kept = LogBytesMax - text.Length;
            _log.AsSpan(_logBytes - kept, kept).CopyTo(_log);
            _logBytes = kept;
        }

        if (_logBytes + text.Length > _log.Length)
            Array.Resize(ref _log, Math.Min(2 * LogBytesMax, Math.Max(_logBytes + text.Length, 2 * _log.Length)));
        text.CopyTo(_log.AsSpan(_logBytes));
        _logBytes += text.Length;
    }

    private ByteString TakeLog_NeedsLock() => ByteString.CopyFrom(_log.AsSpan(Math.Max(0, _logBytes - LogBytesMax), Math.Min(_logBytes, LogBytesMax)));
}
