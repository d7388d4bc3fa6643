using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite.Guard;

/// <summary>Counts what the tasks themselves say of unique keys and dependencies, which the tables of these must say as well.</summary>
internal sealed class RelationCount
{
    private long _keys, _dependencies, _waits;

    public void Add(TaskRecord task)
    {
        _keys += task.Spec.UniqueKey.Length > 0 && !task.State.IsFinal() ? 1 : 0;
        _dependencies += task.Dependants;
        _waits += task.Awaits;
    }

    /// <summary>Where the tables say something else, in words.</summary>
    public IEnumerable<string> Compare(Connection connection)
    {
        (string What, long Tasks, string Count)[] relations =
        [
            ("unique keys of tasks that have not ended", _keys, "SELECT count(*) FROM unique_task"),
            ("dependencies of tasks that have not ended", _dependencies, "SELECT count(*) FROM dependency"),
            ("dependencies that are waited for", _waits, "SELECT count(*) FROM dependency WHERE waits = 1"),
        ];
        foreach ((string what, long tasks, string count) in relations)
        {
            if (connection.ReadNumber(count) is var indexed && indexed != tasks)
                yield return $"{what}: {tasks} by the tasks, {indexed} by their index";
        }
    }
}
