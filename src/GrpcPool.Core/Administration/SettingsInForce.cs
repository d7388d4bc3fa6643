using System.Collections.Immutable;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Administration;

/// <summary>The settings as they are now: those of the start, and what operators have changed since then. Readers never wait. Changed by the committer alone.</summary>
/// <param name="configured">The settings of the start.</param>
internal sealed class SettingsInForce(GrpcPoolOptions configured)
{
    private volatile Changed _changed = new(null, [], ImmutableDictionary<string, string>.Empty);

    public GrpcPoolOptions Configured { get; } = configured;

    /// <summary>The slots of the server itself.</summary>
    public int Slots => _changed.Slots ?? Configured.Pool.Slots;

    /// <summary>The queues for which something was changed.</summary>
    public IEnumerable<string> ChangedQueues => _changed.Queues.Keys;

    /// <summary>What holds for the queue of a name.</summary>
    public QueueRules Queue(string name) => _changed.Queues.TryGetValue(name, out QueueRules? rules) ? rules : QueueRules.Of(Configured.QueueOrDefault(name));

    /// <summary>What was changed, as it is stored.</summary>
    public IReadOnlyDictionary<string, string> Changes => _changed.Values;

    /// <summary>Takes note of what was changed for good: a null value ends a change.</summary>
    public void Apply(IEnumerable<SettingChange> changes)
    {
        ImmutableDictionary<string, string>.Builder values = _changed.Values.ToBuilder();
        foreach (SettingChange change in changes)
        {
            if (change.Value is null)
                values.Remove(change.Key);
            else
                values[change.Key] = change.Value;
        }

        ImmutableDictionary<string, string> now = values.ToImmutable();
        ImmutableDictionary<string, QueueRules> queues = now.Keys.Select(SettingKey.QueueOf).OfType<string>().Distinct()
            .ToImmutableDictionary(static queue => queue, queue => SettingKey.Read(now, queue, QueueRules.Of(Configured.QueueOrDefault(queue))));
        _changed = new Changed(SettingKey.ReadSlots(now), queues, now);
    }

    private sealed record Changed(int? Slots, ImmutableDictionary<string, QueueRules> Queues, ImmutableDictionary<string, string> Values);
}
