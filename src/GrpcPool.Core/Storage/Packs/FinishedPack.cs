using System.Diagnostics;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Packs;

/// <summary>All of a finished task but its place in the store, which is known where it is kept.</summary>
internal static class FinishedPack
{
    /// <summary>Those of the task read last: most have the same, and share the strings then.</summary>
    private static string _lastKind = "", _lastQueue = "";

    /// <summary>Whether a task is small enough to be copied: a large payload or result stays where it is.</summary>
    public static bool Takes(TaskRecord task) => !SpecPack.IsApart(task.Spec.Payload) && !LifePack.IsApart(task.Result);

    public static void Write(PackWriter pack, TaskRecord task)
    {
        Debug.Assert(task is { State: >= TaskState.Succeeded, Claim: 0, Line: 0, Blocked: false, FinishedAt: not null }, "it has ended");
        pack.Text(task.Spec.Kind);
        pack.Text(task.Spec.Queue);
        pack.Signed(task.Spec.Priority);
        pack.Number(task.Spec.Slots);
        pack.Text(task.Spec.SerialKey);
        pack.Number((long)task.State);
        pack.Number(task.Version);
        pack.Number(task.Attempt);
        pack.Number(task.Losses);
        pack.Signed(Times.ToTicks(task.RunAt));
        pack.Signed(Times.ToTicks(task.FinishedAt!.Value));
        LifePack.Write(pack, task);
        SpecPack.Write(pack, task);
    }

    public static TaskRecord Read(ReadOnlySpan<byte> data, TaskId id, long sequence, long revision) => Read(new PackReader(data), id, sequence, revision);

    /// <summary>Reads a task whose payload and result are parts of what is read.</summary>
    public static TaskRecord ReadShared(ReadOnlyMemory<byte> data, TaskId id, long sequence, long revision) => Read(new PackReader(data.Span, data), id, sequence, revision);

    private static TaskRecord Read(PackReader pack, TaskId id, long sequence, long revision)
    {
        var columns = new TaskColumns
        {
            Id = id,
            Sequence = sequence,
            Revision = revision,
            Kind = pack.Name(ref _lastKind),
            Queue = pack.Name(ref _lastQueue),
            Priority = (int)pack.Signed(),
            Slots = pack.Whole(),
            SerialKey = pack.Text(),
            State = (TaskState)pack.Number(),
            Version = pack.Number(),
            Attempt = pack.Whole(),
            Losses = pack.Whole(),
            RunAt = pack.Time(),
            FinishedAt = pack.Time(),
        };
        return LifePack.Read(columns, ref pack, ref pack, static _ => throw new UnreachableException(), static _ => throw new UnreachableException());
    }
}
