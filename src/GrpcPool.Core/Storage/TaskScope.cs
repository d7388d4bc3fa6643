using System.Collections.Frozen;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>The tasks that somebody may know of.</summary>
/// <param name="Queues">Those of these queues; null for all.</param>
/// <param name="Kinds">Those of these kinds; null for all.</param>
internal sealed record TaskScope(IReadOnlySet<string>? Queues, IReadOnlySet<string>? Kinds)
{
    /// <summary>No queue and no kind has this name; as a filter it matches nothing, where an empty one would match all.</summary>
    private const string Nothing = "";

    /// <summary>The scope of these names; empty for all.</summary>
    public static TaskScope Of(IReadOnlyCollection<string> queues, IReadOnlyCollection<string> kinds) => new(SetOf(queues), SetOf(kinds));

    public bool Covers(TaskSpec spec) => Queues?.Contains(spec.Queue) != false && CoversKind(spec.Kind);

    public bool CoversKind(string kind) => Kinds?.Contains(kind) != false;

    /// <summary>What a filter leaves of the scope.</summary>
    public TaskFilter Confine(TaskFilter filter) => filter with { Queues = Common(filter.Queues, Queues), Kinds = Common(filter.Kinds, Kinds) };

    private static FrozenSet<string>? SetOf(IReadOnlyCollection<string> names) => names.Count == 0 ? null : names.ToFrozenSet(StringComparer.Ordinal);

    private static IReadOnlyCollection<string> Common(IReadOnlyCollection<string> asked, IReadOnlySet<string>? allowed)
    {
        if (allowed is null)
            return asked;
        string[] common = [.. asked.Count == 0 ? allowed : asked.Where(allowed.Contains)];
        return common.Length == 0 ? [Nothing] : common;
    }
}
