using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>
/// Brings committed changes to whoever watches. It hands them out on a loop of its own, so that watchers cost the commits nothing; when that loop is behind, it
/// drops what it has and lets the watchers catch up from the store.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the pool, and watchers may outlast it for a moment.")]
internal sealed class WatchHub(ITaskStore store, LimitOptions limits, TimeProvider time)
{
    /// <summary>How many commits, or pieces of progress, wait to be handed out.</summary>
    private const int BacklogMax = 4096;

    private readonly Channel<Publication> _backlog = Channel.CreateBounded<Publication>(new BoundedChannelOptions(BacklogMax) { SingleReader = true });
    private readonly HashSet<IWatcher> _byFilter = [];

    /// <summary>Those by filter to whom a change is news: one costs nothing by the thousands who have not even read the last.</summary>
    private readonly HashSet<IWatcher> _listening = [];
    private readonly Dictionary<TaskId, List<IWatcher>> _byId = [];
    private readonly RecentChanges _recent = new(limits.WatchHistory ?? int.MaxValue);
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _snapshots = new(limits.Snapshots, limits.Snapshots);
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationTokenSource _draining = new();
    private TaskCompletionSource? _nextPublication;
    private Task _loop = Task.CompletedTask;
    private long _committed;
    private long _published;
    private int _watchers;
    private int _skipped;

    /// <summary>How many publications the loop has yet to hand out.</summary>
    private int _pending;

    /// <summary>All changes up to it have been handed out.</summary>
    public long Published => Volatile.Read(ref _published);

    /// <summary>All changes up to it have been committed.</summary>
    public long Committed => Volatile.Read(ref _committed);

    /// <summary>Fires at the end of a drain: nobody is answered any more.</summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>Fires at the beginning of a drain: watches end.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>How many watch.</summary>
    public int Watchers => Volatile.Read(ref _watchers);

    public ITaskStore Store { get; } = store;

    public TimeProvider Time { get; } = time;

    public SemaphoreSlim Snapshots => _snapshots;

    public RecentChanges Recent => _recent;

    public HistoryPages History { get; } = new(store);

    public WatchRooms Rooms { get; } = new(limits.WatchBytesMax);

    public void Start(long revision)
    {
        _committed = _published = revision;
        _loop = Task.Run(RunAsync);
    }

    public Task DrainAsync() => _draining.CancelAsync();

    public async Task StopAsync()
    {
        _backlog.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        await _closing.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>Hands in a commit. Called in the order of revisions.</summary>
    public void Publish(IReadOnlyList<TaskChange> changes, long revision)
    {
        // Whoever registers after nobody was seen to watch sees this commit: in the store, and in Committed. Hence the full fence, on both sides.
        Interlocked.Exchange(ref _committed, revision);
        if (Volatile.Read(ref _watchers) == 0 && Volatile.Read(ref _pending) == 0 && Volatile.Read(ref _skipped) == 0)
            PublishToNobody(revision);
        else if (changes.Count > 0 && !TryHandIn(new Publication(changes, revision)))
            Skip();
    }

    /// <summary>Hands in progress; where there is too much of it, some is dropped.</summary>
    public void Publish(TaskChange progress) => TryHandIn(new Publication([progress], 0));

    /// <summary>Lets a watcher hear of every change from now on: of some tasks, or of all where none is named.</summary>
    /// <exception cref="WatchException">Too many watch.</exception>
    public void Register(IWatcher watcher, IReadOnlyList<TaskId> ids)
    {
        if (Interlocked.Increment(ref _watchers) > limits.Watchers)
        {
            Interlocked.Decrement(ref _watchers);
            throw new WatchException(WatchFault.TooMany, "too many watches are open (Limits:Watchers)");
        }

        lock (_lock)
        {
            if (ids.Count == 0 && _byFilter.Add(watcher))
                _listening.Add(watcher);
            foreach (TaskId id in ids)
            {
                if (!_byId.TryGetValue(id, out List<IWatcher>? watchers))
                    _byId.Add(id, watchers = []);
                watchers.Add(watcher);
            }
        }
    }

    public void Unregister(IWatcher watcher, IReadOnlyList<TaskId> ids)
    {
        Interlocked.Decrement(ref _watchers);
        lock (_lock)
        {
            _byFilter.Remove(watcher);
            _listening.Remove(watcher);
            foreach (TaskId id in ids)
            {
                if (_byId.TryGetValue(id, out List<IWatcher>? watchers) && watchers.Remove(watcher) && watchers.Count == 0)
                    _byId.Remove(id);
            }
        }
    }

    /// <summary>Lets a watcher by filter hear again of what is committed from now on.</summary>
    public void Resume(IWatcher watcher)
    {
        lock (_lock)
        {
            if (_byFilter.Contains(watcher))
                _listening.Add(watcher);
        }
    }

    /// <summary>Ends when all changes up to a revision have been handed out.</summary>
    public async Task WhenPublishedAsync(long revision, CancellationToken cancellation)
    {
        while (Published < revision)
        {
            var own = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            TaskCompletionSource next = Interlocked.CompareExchange(ref _nextPublication, own, null) ?? own;
            if (Published < revision)
                await next.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private bool TryHandIn(Publication publication)
    {
        Interlocked.Increment(ref _pending);
        bool taken = _backlog.Writer.TryWrite(publication);
        if (!taken)
            Interlocked.Decrement(ref _pending);
        return taken;
    }

    /// <summary>The loop, which has nothing to do, is not woken.</summary>
    private void PublishToNobody(long revision)
    {
        _recent.Clear();
        History.Clear();
        Advance(revision);
    }

    /// <summary>There is no room for a commit: the loop lets everybody look for himself.</summary>
    private void Skip()
    {
        Volatile.Write(ref _skipped, 1);

        // The loop may have emptied the backlog before it could see that; then this wakes it.
        TryHandIn(new Publication([], 0));
    }

    private void Advance(long revision)
    {
        long seen = Published;
        while (seen < revision && Interlocked.CompareExchange(ref _published, revision, seen) is var found && found != seen)
            seen = found;
        Interlocked.Exchange(ref _nextPublication, null)?.TrySetResult();
    }

    private async Task RunAsync()
    {
        while (await _backlog.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (_backlog.Reader.TryRead(out Publication publication))
            {
                HandOut(publication);
                if (Interlocked.Exchange(ref _skipped, 0) == 1)
                    SkipTo(Volatile.Read(ref _committed));
                else
                    Advance(publication.Revision);
                Interlocked.Decrement(ref _pending);
            }
        }
    }

    private void HandOut(Publication publication)
    {
        lock (_lock)
        {
            if (_byFilter.Count == 0)
                History.Clear();
            if (_byFilter.Count == 0 || Volatile.Read(ref _skipped) == 1)
                _recent.Clear();
            else if (publication.Revision > 0)
                _recent.Add(publication.Changes, before: _published);
            if (_byId.Count > 0)
                HandOutById_NeedsLock(publication.Changes);
            if (publication.Revision == 0)
                _listening.UnionWith(_byFilter);
            _listening.RemoveWhere(watcher => IsBehindAfter(publication.Changes, watcher));
        }
    }

    /// <summary>Offers changes to a watcher, and tells whether one of them was enough.</summary>
    private static bool IsBehindAfter(IReadOnlyList<TaskChange> changes, IWatcher watcher)
    {
        for (int i = 0; i < changes.Count; i++)
        {
            watcher.Offer(changes[i]);
            if (watcher.IsBehind)
                return true;
        }

        return false;
    }

    private void HandOutById_NeedsLock(IReadOnlyList<TaskChange> changes)
    {
        foreach (TaskChange change in changes)
        {
            if (!_byId.TryGetValue(change.Task.Id, out List<IWatcher>? watchers))
                continue;
            foreach (IWatcher watcher in watchers)
                watcher.Offer(change);
        }
    }

    /// <summary>Commits were not handed out: every watcher has to look for itself.</summary>
    private void SkipTo(long revision)
    {
        _recent.Clear();
        lock (_lock)
        {
            foreach (IWatcher watcher in _byFilter)
                watcher.Overflow();
            foreach (List<IWatcher> watchers in _byId.Values)
                watchers.ForEach(static watcher => watcher.Overflow());
        }

        // Last: whoever sees it and finds nothing in his buffer has seen everything up to it.
        Advance(revision);
    }

    /// <param name="Changes">In the order of revisions.</param>
    /// <param name="Revision">The commit's; 0 for progress.</param>
    private readonly record struct Publication(IReadOnlyList<TaskChange> Changes, long Revision);
}
