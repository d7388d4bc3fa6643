using CsCheck;

namespace GrpcPool.Storage.Tests.Model;

/// <summary>Makes random histories.</summary>
internal static class Histories
{
    /// <summary>How many ids there are: few, so that commands meet.</summary>
    private const int Ids = 8;

    private static readonly Gen<int> Id = Gen.Int[0, Ids - 1];

    private static readonly Gen<Step.Submitted> Task = Gen.Select(Id, Gen.Int[0, 3], Gen.Int[0, 2], Gen.Int[0, 1], Gen.Int[-1, 1], Gen.Int[-2, 6], Gen.Int[0, 7], Gen.Int[0, 9]).Select(
        (id, key, lane, slots, priority, delay, timeouts, hash) => new Step.Submitted(id, key, lane, slots + 1, priority, delay, timeouts, hash == 0));

    private static readonly Gen<Step.Submitted> Related = Gen.Select(Task, Gen.Int[-8, 6], Gen.Int[-255, 255], Gen.Int[0, 255], Gen.Bool).Select((task, unique, after, thin, anyway) =>
        task with { Unique = Math.Max(0, unique), After = Math.Max(0, after) & thin & ~(1 << task.Id), RunsAnyway = anyway });

    private static readonly Gen<Step> Any = Gen.Frequency(
        (6, Gen.Select(Related.Array[1, 4], Gen.Int[0, 4], (tasks, mode) => (Step)new Step.Insert(tasks, mode == 4 ? 2 : mode, Atomic: mode == 4))),
        (8, Id.Select(id => (Step)new Step.Start(id))),
        (8, Gen.Select(Id, Gen.Int[0, 6], Gen.Int[0, 5], (id, ending, stale) => (Step)new Step.End(id, ending, Stale: stale == 0))),
        (4, Gen.Select(Id, Gen.Int[0, 6], Gen.Int[0, 5], (id, thousands, stale) => (Step)new Step.Log(id, 1000 * thousands, Stale: stale == 0))),
        (2, Id.Select(id => (Step)new Step.Cancel(id))),
        (3, Id.Select(id => (Step)new Step.Retry(id))),
        (1, Id.Select(id => (Step)new Step.Delete(id))),
        (5, Gen.Int[1, 6].Select(max => (Step)new Step.Wake(max))),
        (1, Gen.Select(Gen.Int[0, 3], Gen.Int[1, 3], (keep, max) => (Step)new Step.Prune(keep, max))));

    /// <summary>Histories: for each commit how many seconds have passed, and its commands.</summary>
    public static readonly Gen<Step.Batch[]> All = Gen.Select(Gen.Int[0, 3], Any.Array[1, 5], (seconds, steps) => new Step.Batch(seconds, steps)).Array[1, 40];
}
