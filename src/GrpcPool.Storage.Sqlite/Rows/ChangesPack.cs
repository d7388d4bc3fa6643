using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Storage.Sqlite.Rows;

/// <summary>One change of the history: a task by its sequence, or the id of one that has gone.</summary>
/// <param name="Sequence">The task's sequence; 0 where it has gone.</param>
/// <param name="Gone">The id of a task that has gone.</param>
internal readonly record struct PackedChange(long Sequence, TaskId Gone);

/// <summary>The changes of one commit. Revisions have no gaps, so that the last of them and a change's place tell its revision.</summary>
internal static class ChangesPack
{
    private const int Form = 1;

    public static void Write(PackWriter pack, IReadOnlyList<PackedChange> changes)
    {
        pack.Number(Form);
        pack.Number(changes.Count);
        long previous = 0;
        foreach (PackedChange change in changes)
        {
            bool gone = change.Sequence == 0;
            pack.Number(gone ? 1 : 0);
            if (gone)
            {
                pack.Text(change.Gone.Namespace);
                pack.Text(change.Gone.Value);
            }
            else
            {
                pack.Signed(change.Sequence - previous);
                previous = change.Sequence;
            }
        }
    }

    /// <summary>Reads what is sealed with its revision.</summary>
    public static List<PackedChange> Read(long revision, ReadOnlySpan<byte> data) => Read(PackReader.Open(data, Checksum.None.Add(revision)));

    public static List<PackedChange> Read(ReadOnlySpan<byte> data)
    {
        var pack = new PackReader(data);
        pack.Form(Form);
        int count = pack.Count();
        var changes = new List<PackedChange>(count);
        long previous = 0;
        for (; count > 0; count--)
        {
            if (pack.Number() == 1)
                changes.Add(new PackedChange(0, new TaskId(pack.Text(), pack.Text())));
            else
                changes.Add(new PackedChange(previous += pack.Signed(), default));
        }

        return changes;
    }
}
