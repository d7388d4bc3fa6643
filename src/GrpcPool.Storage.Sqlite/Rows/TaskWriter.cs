using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite.Rows;

/// <summary>Writes the rows of tasks.</summary>
internal sealed class TaskWriter(Connection connection)
{
    private readonly Statement _insert = connection.PrepareFile("task_insert");
    private readonly Statement _update = connection.PrepareFile("task_update");
    private readonly Statement _start = connection.PrepareFile("task_start");
    private readonly Statement _end = connection.PrepareFile("task_end");
    private readonly Statement _remove = connection.PrepareFile("task_remove");
    private readonly Statement _addPayload = connection.PrepareFile("payload_write");
    private readonly Statement _removePayload = connection.PrepareFile("payload_remove");
    private readonly Statement _addResult = connection.PrepareFile("result_write");
    private readonly Statement _removeResult = connection.PrepareFile("result_remove");
    private readonly PackWriter _pack = new();

    public void Insert(TaskRecord task, long lane)
    {
        BindLife(_insert, task);
        _insert.Bind(14, task.Id.Namespace).Bind(15, task.Id.Value).Bind(16, lane).Bind(17, task.Spec.Priority).Bind(18, task.Spec.Slots);
        if (task.Spec.SerialKey.Length > 0)
            _insert.Bind(19, task.Spec.SerialKey);
        else
            _insert.Bind(19, (long?)null);
        SpecPack.Write(_pack.Clear(), task);
        _insert.Bind(20, _pack.Seal(TaskColumns.Of(task).SpecChecksum())).Run();
        if (SpecPack.IsApart(task.Spec.Payload))
            AddApart(_addPayload, task, task.Spec.Payload);
    }

    public void Update(TaskRecord before, TaskRecord after)
    {
        if (IsPlainStart(before, after))
            Start(after);
        else if (IsPlainEnd(before, after))
            End(after);
        else
            BindLife(_update, after).Run();
        if (LifePack.IsApart(after.Result) && !LifePack.IsApart(before.Result))
            AddApart(_addResult, after, after.Result);
    }

    public void Remove(TaskRecord task)
    {
        _remove.Bind(1, task.Sequence).Run();
        if (SpecPack.IsApart(task.Spec.Payload))
            _removePayload.Bind(1, task.Sequence).Run();
        if (LifePack.IsApart(task.Result))
            _removeResult.Bind(1, task.Sequence).Run();
    }

    /// <summary>Most tasks only start and end. What stays as it is need not be written, and no index over it looked at.</summary>
    private static bool IsPlainStart(TaskRecord before, TaskRecord after) =>
        before.IsReady && after.State == TaskState.Running && before.RunAt == after.RunAt && before.WakeAt == after.WakeAt && before.Losses == after.Losses && before.Line == after.Line;

    private static bool IsPlainEnd(TaskRecord before, TaskRecord after) =>
        before is { State: TaskState.Running, Line: 0 } && after.State.IsFinal() && before.RunAt == after.RunAt && before.Attempt == after.Attempt && before.Losses == after.Losses;

    private void Start(TaskRecord task)
    {
        _start.Bind(1, task.Sequence).Bind(2, task.Version).Bind(3, task.Revision).Bind(4, task.Claim).Bind(5, task.Attempt);
        _start.Bind(6, Life(task)).Run();
    }

    private void End(TaskRecord task)
    {
        _end.Bind(1, task.Sequence).Bind(2, (long)task.State).Bind(3, task.Version).Bind(4, task.Revision).Bind(5, Times.ToTicks(task.WakeAt)).Bind(6, Times.ToTicks(task.FinishedAt));
        _end.Bind(7, Life(task)).Run();
    }

    private Statement BindLife(Statement statement, TaskRecord task) =>
        statement.Bind(1, task.Sequence)
            .Bind(2, (long)task.State)
            .Bind(3, task.Version)
            .Bind(4, task.Revision)
            .Bind(5, Times.ToTicks(task.RunAt))
            .Bind(6, Times.ToTicks(task.WakeAt))
            .Bind(7, task.Claim)
            .Bind(8, task.Line)
            .Bind(9, task.Blocked ? 1 : 0)
            .Bind(10, task.Attempt)
            .Bind(11, task.Losses)
            .Bind(12, Times.ToTicks(task.FinishedAt))
            .Bind(13, Life(task));

    private ReadOnlySpan<byte> Life(TaskRecord task)
    {
        LifePack.Write(_pack.Clear(), task);
        return _pack.Seal(TaskColumns.Of(task).LifeChecksum());
    }

    private static void AddApart(Statement insert, TaskRecord task, ReadOnlyMemory<byte> data) =>
        insert.Bind(1, task.Sequence).Bind(2, data.Span).Bind(3, Checksum.None.Add(task.Sequence).Add(data.Span).Value).Run();
}
