using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite.Rows;

/// <summary>Reads tasks from their rows, by one connection. All its statements select the same columns.</summary>
internal sealed class TaskRows(Connection connection, LaneNames names)
{
    private readonly Statement _byId = connection.PrepareFile("task_by_id");
    private readonly Statement _bySequence = connection.PrepareFile("task_by_sequence");
    private readonly Func<long, byte[]> _readPayload = ApartBy(connection.PrepareFile("payload_read"));
    private readonly Func<long, byte[]> _readResult = ApartBy(connection.PrepareFile("result_read"));
    private readonly Statement _laneName = connection.PrepareFile("lane_name");

    public TaskRecord? Find(TaskId id) => First(_byId.Bind(1, id.Namespace).Bind(2, id.Value));

    /// <summary>Finds a task at a revision; null where it is gone, or newer.</summary>
    public TaskRecord? Find(long sequence, long revision)
    {
        if (!_bySequence.Bind(1, sequence).Step())
            return null;
        TaskRecord? task = RevisionOf(_bySequence) == revision ? Read(_bySequence) : null;
        _bySequence.Reset();
        return task;
    }

    /// <summary>Reads the only row that is wanted of a statement.</summary>
    public TaskRecord? First(Statement select)
    {
        if (!select.Step())
            return null;
        TaskRecord task = Read(select);
        select.Reset();
        return task;
    }

    public List<TaskRecord> All(Statement select)
    {
        var tasks = new List<TaskRecord>();
        while (select.Step())
            tasks.Add(Read(select));
        return tasks;
    }

    /// <summary>Reads the row at which a statement stands.</summary>
    public TaskRecord Read(Statement row)
    {
        Lane lane = LaneOf(row);
        var columns = new TaskColumns
        {
            Sequence = SequenceOf(row),
            Id = new TaskId(lane.Namespace, row.Text(2)),
            Kind = lane.Kind,
            Queue = lane.Queue,
            Priority = (int)row.Number(4),
            Slots = (int)row.Number(5),
            SerialKey = row.TextOrEmpty(6),
            State = StateOf(row),
            Version = row.Number(8),
            Revision = RevisionOf(row),
            RunAt = Times.FromTicks(row.Number(10)),
            Claim = row.Number(11),
            Line = row.Number(12),
            Blocked = row.Number(13) != 0,
            Attempt = (int)row.Number(14),
            Losses = (int)row.Number(15),
            FinishedAt = Times.FromTicks(row.NumberOrNull(16)),
        };
        var spec = new PackReader(PackReader.Open(row.Blob(17), columns.SpecChecksum()));
        var life = new PackReader(PackReader.Open(row.Blob(18), columns.LifeChecksum()));
        return LifePack.Read(columns, ref life, ref spec, _readResult, _readPayload);
    }

    public static long SequenceOf(Statement row) => row.Number(0);

    public Lane LaneOf(Statement row) => names.Find(row.Number(3)) ?? ReadLane(row.Number(3));

    public static TaskState StateOf(Statement row) => (TaskState)row.Number(7);

    public static long RevisionOf(Statement row) => row.Number(9);

    private static Func<long, byte[]> ApartBy(Statement select) => sequence => ReadApart(select, sequence);

    private static byte[] ReadApart(Statement select, long sequence)
    {
        if (!select.Bind(1, sequence).Step())
            throw new StorageException(StorageFault.Corrupt, $"the payload or result of task {sequence} is missing in the database");
        byte[] data = select.Blob(0).ToArray();
        bool whole = Checksum.None.Add(sequence).Add(data).Value == select.Number(1);
        select.Reset();
        return whole ? data : throw new StorageException(StorageFault.Corrupt, $"the payload or result of task {sequence} is damaged in the database");
    }

    /// <summary>A lane that has gone since this connection began to read is still in what it sees.</summary>
    private Lane ReadLane(long id)
    {
        if (!_laneName.Bind(1, id).Step())
            throw new StorageException(StorageFault.Corrupt, $"lane {id} is missing in the database");
        var lane = new Lane(_laneName.Text(0), _laneName.Text(1), _laneName.Text(2));
        _laneName.Reset();
        return lane;
    }
}
