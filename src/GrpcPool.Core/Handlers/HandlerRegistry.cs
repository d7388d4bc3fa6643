using System.Collections.Frozen;

namespace GrpcPool.Core.Handlers;

/// <summary>A handler with what its kind's settings say of it.</summary>
/// <param name="Handler">The handler.</param>
/// <param name="RunTimeout">The longest attempt; null for no limit.</param>
/// <param name="KillAfter">How long after it was told of a timeout an attempt is stopped by force.</param>
internal sealed record HandlerEntry(ITaskHandler Handler, TimeSpan? RunTimeout, TimeSpan KillAfter)
{
    /// <summary>Whether it only hands attempts over, at once, to somebody outside of this process.</summary>
    public bool HandsOver { get; init; }
}

/// <summary>Who runs which kind.</summary>
internal sealed class HandlerRegistry
{
    /// <summary>The grace of a handler whose settings do not say.</summary>
    public static readonly TimeSpan DefaultKillAfter = TimeSpan.FromSeconds(10);

    private readonly FrozenDictionary<string, HandlerEntry> _entries;

    public HandlerRegistry(IEnumerable<KeyValuePair<string, HandlerEntry>> entries)
    {
        _entries = entries.ToFrozenDictionary(StringComparer.Ordinal);
        KindSet = _entries.Keys.ToFrozenSet(StringComparer.Ordinal);
    }

    public IReadOnlySet<string> KindSet { get; }

    public IEnumerable<string> Kinds => _entries.Keys.Order(StringComparer.Ordinal);

    public bool CanRun(string kind) => _entries.ContainsKey(kind);

    public HandlerEntry this[string kind] => _entries[kind];
}
