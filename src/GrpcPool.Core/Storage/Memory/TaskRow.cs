using System.Diagnostics.CodeAnalysis;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Storage.Memory;

/// <summary>The place of one task, whatever its version.</summary>
internal struct TaskRow
{
    private (int, int) _finished;
    private (int, int) _expiring;

    /// <summary>The task, or the array in which it is packed, or the id of one that is gone.</summary>
    private object? _content;
    private int _packedFrom;
    private int _packedLength;
    private PackedTime _expiresAt;

    /// <summary>The next of the rows whose hashes end alike, or the next free row.</summary>
    public int Next;

    public TaskRow(TaskRecord task) => (Hash, Sequence, Task, Revision, Listed) = (task.Id.GetHashCode(), task.Sequence, task, task.Revision, true);

    /// <summary>That of the id.</summary>
    public int Hash { get; }

    public long Sequence { get; }

    /// <summary>The task as it is now; null when it is gone. One that is packed is read anew each time.</summary>
    public TaskRecord? Task
    {
        readonly get => _content is byte[] array ? FinishedPack.Read(array.AsSpan(_packedFrom, _packedLength), Sequence, Revision) : _content as TaskRecord;
        set => (_content, State, _expiresAt) = (value, value?.State ?? default, value?.ExpiresAt);
    }

    /// <summary>The same, where its payload and result may be parts of the array in which it is packed: for those who let it go soon, since they keep its neighbours' bytes too.</summary>
    public readonly TaskRecord? Shared => _content is byte[] array ? FinishedPack.ReadShared(array.AsMemory(_packedFrom, _packedLength), Sequence, Revision) : Task;

    /// <summary>The id of one that is gone.</summary>
    public readonly TaskId GoneId => (TaskId)_content!;

    /// <summary>Whether there is a task, which has not gone.</summary>
    public readonly bool Exists => _content is not (null or TaskId);

    /// <summary>That of the task.</summary>
    public TaskState State { get; private set; }

    /// <summary>That of the task.</summary>
    public readonly DateTimeOffset? ExpiresAt => _expiresAt;

    /// <summary>The revision of its newest change, the removal being the last.</summary>
    public long Revision { get; set; }

    /// <summary>Whether it has finished and was kept, so that it does not expire in the order in which others have finished.</summary>
    public bool ExpiresApart { get; set; }

    /// <summary>Whether it stands among all rows, be it as a gap.</summary>
    public bool Listed { get; set; }

    /// <summary>Whether the history tells of its removal.</summary>
    public bool Told { get; set; }

    /// <summary>In the order of offsets; null while it is empty.</summary>
    public List<LogChunk>? Log { get; set; }

    /// <summary>Its neighbours in a line in which it stands.</summary>
    [UnscopedRef]
    public ref (int Previous, int Next) this[RowLine.Place place] => ref place == RowLine.Place.Finished ? ref _finished : ref _expiring;

    /// <summary>Whether the task has this id.</summary>
    public readonly bool Has(TaskId id) => _content is byte[] array ? FinishedPack.Has(array.AsSpan(_packedFrom, _packedLength), id) : _content is TaskRecord task && task.Id == id;

    /// <summary>The task, which has finished, is kept as bytes from now on.</summary>
    public void Pack(ArraySegment<byte> bytes) => (_content, _packedFrom, _packedLength) = (bytes.Array, bytes.Offset, bytes.Count);

    /// <summary>The task is gone.</summary>
    public void Leave(TaskId id, long revision)
    {
        (Task, Log) = (null, null);
        (_content, Revision, Told) = (id, revision, true);
    }
}
