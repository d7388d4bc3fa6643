using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage;

/// <summary>What a unique key means for who wants it.</summary>
internal static class UniqueKeys
{
    /// <summary>The task that has the key of a spec and has not ended.</summary>
    public static TaskRecord? HolderOf(this ITaskTable table, string @namespace, TaskSpec spec) =>
        spec.UniqueKey.Length == 0 ? null : table.UniqueTask(@namespace, spec.UniqueKey);

    /// <summary>What becomes of a newcomer: Done where it takes the holder's place.</summary>
    public static Verdict Decide(Insertion newcomer, TaskRecord holder)
    {
        switch (newcomer.Task.Spec.OnConflict)
        {
            case ConflictPolicy.UseExisting:
                return Verdict.Existing;
            case ConflictPolicy.Replace when holder.State.IsWaiting():
                bool room = newcomer.Mode != InsertMode.WithoutRoom || holder.Spec.Queue == newcomer.Task.Spec.Queue;
                return room ? Verdict.Done : Verdict.Full;
            default:
                return Verdict.KeyHeld;
        }
    }
}
