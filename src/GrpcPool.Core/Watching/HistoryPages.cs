using System.Diagnostics.CodeAnalysis;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Watching;

/// <summary>The newest changes of some tasks, in the order of revisions.</summary>
/// <param name="Changes">The changes.</param>
/// <param name="UpTo">All changes up to it are told by these.</param>
internal readonly record struct ChangeSpan(IReadOnlyList<TaskChange> Changes, long UpTo)
{
    /// <summary>The bytes of a change that may be many.</summary>
    public static long BytesOf(TaskChange change) => BytesOf(change.Task);

    public static long BytesOf(TaskRecord task) => task.Spec.Payload.Length + task.Result.Length;
}

/// <summary>
/// Pages of the store's history, for watchers that have fallen far behind: they mostly do so together, and so read the same page, whose form on the wire is made once.
/// Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the hub, and its semaphore has no wait handle.")]
internal sealed class HistoryPages(ITaskStore store)
{
    /// <summary>
    /// How many are kept. Each of many watchers is where its connection lets it be, and a page that is kept no more is read again for each that comes to it. Measured in turn, 64 watchers
    /// were told 1.0 million events a second with 4 pages, 1.1 to 1.6 with 16, 1.8 to 2.0 with 64 and 1.4 to 2.6 with 128.
    /// </summary>
    private const int PagesMax = 64;

    /// <summary>How many bytes of payloads and results they may have together.</summary>
    private const long BytesMax = 16 << 20;

    private readonly SemaphoreSlim _reading = new(1, 1);

    /// <summary>The newest last.</summary>
    private volatile Page[] _pages = [];

    /// <summary>Reads what comes after a revision, and perhaps some of what comes before; null where that is not, or no longer, known.</summary>
    public async ValueTask<ChangeSpan?> ReadAsync(long after, int limit, CancellationToken cancellation)
    {
        if (Find(after) is { } known)
            return known.Span;
        await _reading.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return (Find(after) ?? await ReadPageAsync(after, limit).ConfigureAwait(false))?.Span;
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Forgets all: nobody watches.</summary>
    public void Clear() => _pages = [];

    private Page? Find(long after) => Array.Find(_pages, page => page.After <= after && after < page.Span.UpTo);

    private async Task<Page?> ReadPageAsync(long after, int limit)
    {
        ChangePage read = await store.ReadChangesAsync(after, limit).ConfigureAwait(false);
        if (!read.Complete)
            return null;
        List<TaskChange> changes = [.. read.Changes.Where(static change => change.Task is not null)
            .Select(static change => new TaskChange(ChangeType.Changed, change.Task!, change.Revision))];
        var page = new Page(after, new ChangeSpan(changes, read.UpTo), changes.Sum(ChangeSpan.BytesOf));
        Keep(page);
        return page;
    }

    private void Keep(Page page)
    {
        if (page.Bytes > BytesMax)
            return;
        Page[] pages = [.. _pages.TakeLast(PagesMax - 1), page];
        long bytes = 0;
        int kept = pages.Reverse().TakeWhile(one => (bytes += one.Bytes) <= BytesMax).Count();
        _pages = pages[^kept..];
    }

    private sealed record Page(long After, ChangeSpan Span, long Bytes);
}
