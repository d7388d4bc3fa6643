using Google.Protobuf;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Load;

/// <summary>The tasks that all measurements use, and ways to wait for them.</summary>
internal static class PoolLoad
{
    public const int PayloadBytes = 100;
    public const int BatchTasks = 1000;

    /// <summary>How many batches are on their way: while one is committed, the next is read.</summary>
    private const int BatchesInFlight = 4;

    public const string SubmitMethod = "grpcpool.v1.TaskPoolService/Submit";

    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(2);
    private static readonly ByteString Payload = ByteString.CopyFrom(new byte[PayloadBytes]);

    public static TaskSpec Echo => new() { Kind = "echo", Payload = Payload };

    public static SubmitRequest Submit => new() { Task = Echo };

    public static SubmitBatchRequest Batch(int tasks, Func<TaskSpec>? make = null)
    {
        var batch = new SubmitBatchRequest();
        batch.Tasks.AddRange(Enumerable.Range(0, tasks).Select(_ => make?.Invoke() ?? Echo));
        return batch;
    }

    /// <summary>A batch whose tasks have all been accepted.</summary>
    public static async Task SubmitAsync(TaskPoolService.TaskPoolServiceClient pool, SubmitBatchRequest batch)
    {
        SubmitBatchResponse response = await pool.SubmitBatchAsync(batch);
        if (response.Results.FirstOrDefault(static result => result.Error is not null) is { } refused)
            throw new InvalidOperationException($"A task was refused: {refused.Error.Message}");
    }

    /// <summary>Tasks per second, in batches, until all have succeeded.</summary>
    public static async Task<Rate> LiveAsync(ServerProcess pool, int tasks, Func<TaskSpec>? make = null)
    {
        SubmitBatchRequest batch = Batch(BatchTasks, make);
        (long begin, TimeSpan cpu) = (TimeProvider.System.GetTimestamp(), pool.Cpu);
        await Parallel.ForAsync(0, tasks / BatchTasks, new ParallelOptions { MaxDegreeOfParallelism = BatchesInFlight }, async (_, _) => await SubmitAsync(pool.Pool, batch));
        await IdleAsync(pool.Pool);
        return Rate.Since(pool, tasks, begin, cpu);
    }

    /// <summary>Submits a task and follows it until it has succeeded.</summary>
    public static async Task RunOneAsync(ServerProcess pool, TaskSpec task)
    {
        using AsyncServerStreamingCall<SubmitAndWatchResponse> call = pool.Pool.SubmitAndWatch(new SubmitAndWatchRequest { Task = task });
        TaskState last = TaskState.Unspecified;
        await foreach (SubmitAndWatchResponse response in call.ResponseStream.ReadAllAsync())
            last = response.Events.LastOrDefault(static e => e.Task is not null)?.Task.State ?? last;
        if (last != TaskState.Succeeded)
            throw new InvalidOperationException($"A task ended {last}.");
    }

    /// <summary>Waits until nothing waits or runs. All tasks must have succeeded.</summary>
    public static async Task IdleAsync(TaskPoolService.TaskPoolServiceClient pool)
    {
        while (await CountAsync(pool, TaskState.Scheduled, TaskState.Queued, TaskState.Running, TaskState.Retrying) > 0)
            await Task.Delay(PollEvery, TimeProvider.System);
        if (await CountAsync(pool, TaskState.Failed, TaskState.Cancelled, TaskState.Expired) is > 0 and var others)
            throw new InvalidOperationException($"{others} tasks have not succeeded.");
    }

    /// <summary>How many tasks are in one of some states.</summary>
    public static async Task<long> CountAsync(TaskPoolService.TaskPoolServiceClient pool, params IEnumerable<TaskState> states) =>
        (await pool.CountAsync(new CountRequest { Filter = new TaskFilter { States = { states } } })).Total;

    /// <summary>Fills the pool with tasks that wait: the only slot is taken for a day.</summary>
    public static async Task FillAsync(TaskPoolService.TaskPoolServiceClient pool, int tasks, int payloadBytes)
    {
        await pool.SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "sleep", Payload = ByteString.CopyFromUtf8("""{"seconds": 86400}""") } });
        var payload = ByteString.CopyFrom(new byte[payloadBytes]);
        SubmitBatchRequest batch = Batch(1000, () => new TaskSpec { Kind = "echo", Payload = payload });
        for (int submitted = 0; submitted < tasks; submitted += 1000)
            await SubmitAsync(pool, batch);
    }
}
