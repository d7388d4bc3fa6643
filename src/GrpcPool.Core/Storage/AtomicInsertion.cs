using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>
/// Looks whether all of an insertion will succeed, before any of it is done. Where what it does itself might make room for a later item, such as a cancellation that
/// frees a key, that is not counted on: then it is refused as a whole, and never done in part.
/// </summary>
internal sealed class AtomicInsertion(ITaskTable table)
{
    private readonly Dictionary<TaskId, byte[]?> _hashes = [];
    private readonly HashSet<(string Namespace, string Key)> _keys = [];

    /// <summary>What each item would come to, if one of them is refused; else null.</summary>
    public CommandOutcome[]? Refusals(IReadOnlyList<Insertion> items)
    {
        CommandOutcome[] foreseen = [.. items.Select(Foresee)];
        return Array.TrueForAll(foreseen, static outcome => IsAccepted(outcome.Verdict))
            ? null
            : [.. foreseen.Select(static outcome => IsAccepted(outcome.Verdict) ? new CommandOutcome(Verdict.Aborted) : outcome)];
    }

    private static bool IsAccepted(Verdict verdict) => verdict is Verdict.Done or Verdict.Existing;

    private CommandOutcome Foresee(Insertion item)
    {
        NewTask task = item.Task;
        if (KnownHash(task.Id) is { } known)
            return new CommandOutcome(known.AsSpan().SequenceEqual(task.SpecHash) ? Verdict.Existing : Verdict.Conflict);
        if (task.Spec.After.Count > 0 && Dependencies.FindMissing(task, id => _hashes.ContainsKey(id) || table.Find(id) is not null) is { } missing)
            return new CommandOutcome(Verdict.NoParent, Place: missing);
        CommandOutcome outcome = ForeseeKey(item);
        if (outcome.Verdict == Verdict.Done)
            _hashes.Add(task.Id, task.SpecHash);
        return outcome;
    }

    /// <summary>The hash of a task that is there, or will be; empty where it has none.</summary>
    private byte[]? KnownHash(TaskId id) => table.Find(id) is { } task ? task.SpecHash ?? [] : _hashes.TryGetValue(id, out byte[]? hash) ? hash ?? [] : null;

    private CommandOutcome ForeseeKey(Insertion item)
    {
        TaskSpec spec = item.Task.Spec;
        if (spec.UniqueKey.Length == 0)
            return new CommandOutcome(Verdict.Done);
        TaskRecord? holder = table.HolderOf(item.Task.Id.Namespace, spec);
        if (!_keys.Add((item.Task.Id.Namespace, spec.UniqueKey)))
        {
            // An item before it has the key by then, and waits.
            Verdict verdict = spec.OnConflict switch { ConflictPolicy.UseExisting => Verdict.Existing, ConflictPolicy.Replace => Verdict.Done, _ => Verdict.KeyHeld };
            return new CommandOutcome(holder is { State: TaskState.Running } && verdict == Verdict.Done ? Verdict.KeyHeld : verdict, holder);
        }

        if (holder is null)
            return new CommandOutcome(item.Mode == InsertMode.WithoutRoom ? Verdict.Full : Verdict.Done);
        return new CommandOutcome(UniqueKeys.Decide(item, holder), holder);
    }
}
