using System.Diagnostics;
using System.Text;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Packs;

/// <summary>All of a finished task but its sequence and revision, which are known where it is kept.</summary>
internal static class FinishedPack
{
    /// <summary>Those of the task read last: most have the same, and share the strings then.</summary>
    private static string _lastNamespace = "", _lastKind = "", _lastQueue = "";

    /// <summary>Whether a task is small enough to be copied: a large payload or result stays where it is.</summary>
    public static bool Takes(TaskRecord task) => !SpecPack.IsApart(task.Spec.Payload) && !LifePack.IsApart(task.Result);

    public static void Write(PackWriter pack, TaskRecord task)
    {
        Debug.Assert(task is { State: >= TaskState.Succeeded, Claim: 0, Line: 0, Blocked: false, FinishedAt: not null }, "it has ended");
        pack.Text(task.Id.Namespace);
        pack.Text(task.Id.Value);
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

    /// <summary>Whether a task has this id.</summary>
    public static bool Has(ReadOnlySpan<byte> data, TaskId id)
    {
        var pack = new PackReader(data);
        return Ascii.Equals(pack.Bytes(), id.Namespace) && Ascii.Equals(pack.Bytes(), id.Value);
    }

    public static TaskRecord Read(ReadOnlySpan<byte> data, long sequence, long revision) => Read(new PackReader(data), sequence, revision);

    /// <summary>Reads a task whose payload and result are parts of what is read.</summary>
    public static TaskRecord ReadShared(ReadOnlyMemory<byte> data, long sequence, long revision) => Read(new PackReader(data.Span, data), sequence, revision);

    private static TaskRecord Read(PackReader pack, long sequence, long revision)
    {
        var columns = new TaskColumns
        {
            Id = new TaskId(pack.Name(ref _lastNamespace), pack.Text()),
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
