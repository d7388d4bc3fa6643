using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Rows;

namespace GrpcPool.Storage.Sqlite;

/// <summary>The schedules as the transaction under way sees and changes them, and which of their tasks have not ended. Not thread-safe.</summary>
internal sealed class ScheduleTable(Connection connection) : IScheduleTable
{
    private readonly ScheduleRows _rows = new(connection);
    private readonly PackWriter _pack = new();
    private readonly Statement _count = connection.PrepareFile("schedule_count");
    private readonly Statement _write = connection.PrepareFile("schedule_write");
    private readonly Statement _remove = connection.PrepareFile("schedule_remove");
    private readonly Statement _due = connection.PrepareFile("schedule_due");
    private readonly Statement _toRewind = connection.PrepareFile("schedule_to_rewind");
    private readonly Statement _fromSettings = connection.PrepareFile("schedule_from_settings");
    private readonly Statement _addTask = connection.PrepareFile("scheduled_task_add");
    private readonly Statement _removeTask = connection.PrepareFile("scheduled_task_remove");
    private readonly Statement _unfinished = connection.PrepareFile("scheduled_task_read");

    public long Count
    {
        get
        {
            _count.Step();
            long count = _count.Number(0);
            _count.Reset();
            return count;
        }
    }

    public ScheduleRecord? Find(ScheduleId id) => _rows.Find(id);

    public void Write(ScheduleRecord schedule)
    {
        _write.Bind(1, schedule.Id.Namespace).Bind(2, schedule.Id.Value).Bind(3, schedule.Deleted ? 1 : 0).Bind(4, schedule.SettingsHash is null ? 0 : 1)
            .Bind(5, Times.ToTicks(schedule.WakeAt)).Bind(6, Times.ToTicks(schedule.RewindAt));
        SchedulePack.Write(_pack.Clear(), schedule);
        _write.Bind(7, _pack.Seal(ScheduleRows.ChecksumOf(schedule.Id))).Run();
    }

    public void Remove(ScheduleId id) => _remove.Bind(1, id.Namespace).Bind(2, id.Value).Run();

    public IReadOnlyList<ScheduleId> Due(DateTimeOffset now, int max) => Ids(_due.Bind(1, Times.ToTicks(now)).Bind(2, max));

    public IReadOnlyList<ScheduleId> ToRewind(DateTimeOffset now) => Ids(_toRewind.Bind(1, Times.ToTicks(now)));

    public IReadOnlyList<ScheduleId> FromSettings() => Ids(_fromSettings);

    public IReadOnlyList<TaskId> Unfinished(ScheduleId id, int max)
    {
        var tasks = new List<TaskId>();
        _unfinished.Bind(1, id.Namespace).Bind(2, id.Value).Bind(3, max);
        while (_unfinished.Step())
            tasks.Add(new TaskId(_unfinished.Text(0), _unfinished.Text(1)));
        return tasks;
    }

    /// <summary>Takes note of a task that was written.</summary>
    public void Note(TaskRecord? before, TaskRecord after)
    {
        if (after.Spec.ScheduleId.Length == 0)
            return;
        if (after.State.IsFinal())
            _removeTask.Bind(1, after.Sequence).Run();
        else if (before is null || before.State.IsFinal())
            _addTask.Bind(1, after.Sequence).Bind(2, after.Id.Namespace).Bind(3, after.Spec.ScheduleId).Bind(4, after.Id.Value).Run();
    }

    private static List<ScheduleId> Ids(Statement select)
    {
        var ids = new List<ScheduleId>();
        while (select.Step())
            ids.Add(new ScheduleId(select.Text(0), select.Text(1)));
        return ids;
    }
}
