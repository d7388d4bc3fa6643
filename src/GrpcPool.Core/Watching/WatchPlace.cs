namespace GrpcPool.Core.Watching;

/// <summary>What one watcher holds of the room that all share. Used by its reader alone.</summary>
/// <param name="rooms">The room.</param>
/// <param name="end">Ends all waiting for it.</param>
internal sealed class WatchPlace(WatchRooms rooms, CancellationToken end)
{
    /// <summary>What an event takes beside its payload and result, and how often those are held: as they were read, in their form on the wire, and on their way.</summary>
    private const int EventBytes = 512, Copies = 3;

    /// <summary>What it is told at a time is held several times over, hence no more; a single event may be larger.</summary>
    private const long PortionMax = Copies * (256 << 10);

    /// <summary>Who has read before may be slow, or the machine busy; who has not yet may be one who never will.</summary>
    private static readonly TimeSpan ReaderPatience = TimeSpan.FromSeconds(10), OtherPatience = TimeSpan.FromSeconds(0.5);

    private WatchRoom? _room;
    private long _bytes;
    private (WatchRoom? Room, long Bytes) _wanted;

    /// <summary>Whether it has read what it once held.</summary>
    private bool _reads;

    /// <summary>As much as needs no room: so one who never reads takes none. It doubles with all that is read, as the window of a connection does whose other end acknowledges (RFC 5681, slow start).</summary>
    private long _portion = WatchRooms.FreeBytes;

    /// <summary>Whether it holds any of the room.</summary>
    public bool Holds => _room is not null;

    /// <summary>Whether others wait for what it holds.</summary>
    public bool IsInTheWay => _room is { IsCrowded: true };

    /// <summary>For how long at least it may hold what it does not read while others wait for room.</summary>
    public TimeSpan Patience => _reads ? ReaderPatience : OtherPatience;

    /// <summary>How much its reader is told at a time.</summary>
    public Portion NextPortion => new(_portion, (int)(_portion / EventBytes));

    /// <summary>
    /// Takes room for what has just been read. False where there is none: it must be let go, and read again after <see cref="WaitAsync"/>, since nothing may be held by those who wait.
    /// </summary>
    public bool TryKeep(IReadOnlyList<WatchEvent> events)
    {
        long bytes = 0;
        foreach (WatchEvent told in events)
            bytes += BytesOf(told);
        return TryKeep(bytes);
    }

    public bool TryKeep(long bytes)
    {
        WatchRoom? room = rooms.For(bytes);
        if (room == _room && bytes <= _bytes)
            return true;
        Release();
        (WatchRoom? Room, long Bytes) taken = room is null ? default : (room, bytes);
        if (room?.TryEnter(bytes, _reads) == false)
        {
            _wanted = taken;
            return false;
        }

        (_room, _bytes) = taken;
        return true;
    }

    /// <summary>Waits for the room that there was not.</summary>
    /// <exception cref="OperationCanceledException">The reader has left.</exception>
    /// <exception cref="WatchException">All watching ends.</exception>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, end);
        (WatchRoom? room, long bytes) = _wanted;
        try
        {
            await room!.EnterAsync(bytes, _reads, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            throw WatchException.Ended();
        }

        (_room, _bytes) = (room, bytes);
    }

    /// <summary>How much is held of an event until it has been read.</summary>
    public static long BytesOf(WatchEvent told) => EventBytes + (told.Change is { } change ? Copies * ChangeSpan.BytesOf(change) : 0);

    /// <summary>What was held has been read.</summary>
    public void Leave()
    {
        _reads |= Holds;
        _portion = Math.Min(PortionMax, 2 * _portion);
        Release();
    }

    /// <summary>Holds nothing any more.</summary>
    public void Release()
    {
        _room?.Leave(_bytes);
        (_room, _bytes) = (null, 0);
    }
}

/// <summary>The room of all watchers: those of large tasks and those of small ones are in no way of each other.</summary>
/// <param name="bytesMax">How many bytes there are for all together.</param>
internal sealed class WatchRooms(long bytesMax)
{
    /// <summary>What each may hold without asking: a few small tasks, as most of the time.</summary>
    public const long FreeBytes = 8 << 10;

    /// <summary>Above that it is something large.</summary>
    private const long SmallBytes = 256 << 10;

    public WatchRoom Large { get; } = new(bytesMax / 2);

    public WatchRoom Small { get; } = new(bytesMax / 4);

    /// <summary>What waits in the watchers' buffers.</summary>
    public BufferedBytes Buffered { get; } = new(bytesMax / 4);

    /// <summary>Where so much belongs; null where it is too little to count.</summary>
    public WatchRoom? For(long bytes) => bytes <= FreeBytes ? null : bytes <= SmallBytes ? Small : Large;
}
