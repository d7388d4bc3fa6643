using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;
using GrpcPool.Storage.Sqlite.Rows;

namespace GrpcPool.Storage.Sqlite;

/// <summary>Which tasks are to run after which. Asked only for tasks that have something to do with it.</summary>
internal sealed class DependencyTable(Connection connection, TaskRows rows)
{
    private readonly Statement _add = connection.PrepareFile("dependency_add");
    private readonly Statement _waiting = connection.PrepareFile("dependency_waiting");
    private readonly Statement _settle = connection.PrepareFile("dependency_settle");
    private readonly Statement _parents = connection.PrepareFile("dependency_parents");
    private readonly Statement _remove = connection.PrepareFile("dependency_remove");

    public void Add(TaskRecord parent, TaskRecord dependant, bool waits) => _add.Bind(1, parent.Sequence).Bind(2, dependant.Sequence).Bind(3, waits ? 1 : 0).Run();

    public List<TaskRecord> TakeWaiting(TaskRecord parent)
    {
        List<TaskRecord> waiting = rows.All(_waiting.Bind(1, parent.Sequence));
        _settle.Bind(1, parent.Sequence).Run();
        return waiting;
    }

    public List<TaskRecord> TakeParents(TaskRecord dependant)
    {
        List<TaskRecord> parents = rows.All(_parents.Bind(1, dependant.Sequence));
        _remove.Bind(1, dependant.Sequence).Run();
        return parents;
    }
}
