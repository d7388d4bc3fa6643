using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite;

/// <summary>Which task has which unique key, for the tasks that have one and have not ended. Others cost nothing here.</summary>
internal sealed class UniqueTable(Connection connection)
{
    private readonly Statement _take = connection.PrepareFile("unique_take");
    private readonly Statement _release = connection.PrepareFile("unique_release");

    /// <summary>Takes note of a task that was written.</summary>
    public void Note(TaskRecord? before, TaskRecord after)
    {
        if (after.Spec.UniqueKey.Length == 0)
            return;
        bool lived = before is not null && !before.State.IsFinal();
        bool lives = !after.State.IsFinal();
        if (lives && !lived)
            _take.Bind(1, after.Id.Namespace).Bind(2, after.Spec.UniqueKey).Bind(3, after.Sequence).Run();
        else if (lived && !lives)
            _release.Bind(1, after.Id.Namespace).Bind(2, after.Spec.UniqueKey).Run();
    }
}
