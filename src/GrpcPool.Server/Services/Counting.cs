using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.V1;
using TaskFilter = GrpcPool.Core.Storage.TaskFilter;
using TaskState = GrpcPool.Core.Tasks.TaskState;

namespace GrpcPool.Server.Services;

/// <summary>Counts tasks: from what is counted anyway, else by reading, up to a bound.</summary>
internal static class Counting
{
    private const long ReadMax = 100_000;

    public static async Task<CountResponse> CountAsync(TaskPool pool, TaskFilter filter, CountGroup groupBy, CancellationToken cancellation)
    {
        var checks = new FieldChecks();
        checks.Require(Enum.IsDefined(groupBy), "group_by", "must be a group of the contract");
        checks.ThrowIfAny();
        var response = new CountResponse { Exact = true };
        var groups = new SortedDictionary<string, long>(StringComparer.Ordinal);
        if (pool.TryCount(filter) is { } counts)
        {
            foreach ((Lane lane, TaskState state, long count) in counts)
                Add(lane, state, count);
        }
        else
        {
            await foreach (IReadOnlyList<TaskRecord> tasks in pool.ScanAsync(filter, cancellation).ConfigureAwait(false))
            {
                foreach (TaskRecord task in tasks)
                {
                    response.Exact = response.Total < ReadMax;
                    if (!response.Exact)
                        break;
                    Add(Lane.Of(task), task.State, 1);
                }

                if (!response.Exact)
                    break;
            }
        }

        response.Groups.AddRange(groups.Select(static group => new GroupCount { Key = group.Key, Count = group.Value }));
        return response;

        void Add(Lane lane, TaskState state, long count)
        {
            response.Total += count;
            if (KeyOf(lane, state, groupBy) is { } key)
                groups[key] = groups.GetValueOrDefault(key) + count;
        }
    }

    private static string? KeyOf(Lane lane, TaskState state, CountGroup groupBy) => groupBy switch
    {
        CountGroup.State => $"TASK_STATE_{state.ToString().ToUpperInvariant()}",
        CountGroup.Queue => lane.Queue,
        CountGroup.Kind => lane.Kind,
        _ => null,
    };
}
