using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Histories;

/// <summary>Clients that submit tasks with ids of their own over several connections, one by one and in batches.</summary>
/// <param name="history">Where they write down what they know.</param>
/// <param name="plan">Which tasks.</param>
internal sealed class Load(History history, LoadPlan plan)
{
    /// <summary>Marks tasks that may run at most once.</summary>
    public const string AtMostOnceLabel = "at_most_once";

    private const int Connections = 3, CallersPerConnection = 4, RepeatedMax = 200;

    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(10);

    private int _next;

    /// <summary>Submits tasks until it is stopped, which is no fault. Meanwhile the server may die.</summary>
    public async Task RunAsync(Uri address, CancellationToken stop)
    {
        GrpcChannel[] channels = [.. Enumerable.Range(0, Connections).Select(_ => GrpcChannel.ForAddress(address))];
        try
        {
            await Task.WhenAll(channels.SelectMany(channel => Enumerable.Range(0, CallersPerConnection).Select(
                caller => CallAsync(new TaskPoolService.TaskPoolServiceClient(channel), caller == 0 ? plan.Batch : 1, stop))));
        }
        finally
        {
            Array.ForEach(channels, static channel => channel.Dispose());
        }
    }

    /// <summary>Submits tasks again of which it is not known whether they were accepted, as a client does whose connection broke.</summary>
    public async Task RepeatAsync(TaskPoolService.TaskPoolServiceClient client, IEnumerable<TaskSpec> tasks, CancellationToken stop)
    {
        foreach (TaskSpec[] some in tasks.Chunk(RepeatedMax))
            await SubmitAsync(client, some, stop);
    }

    private async Task CallAsync(TaskPoolService.TaskPoolServiceClient client, int size, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            int first = Interlocked.Add(ref _next, size) - size;
            try
            {
                await SubmitAsync(client, [.. Enumerable.Range(first, size).Select(Make)], stop);
            }
            catch (RpcException)
            {
                await Task.Delay(PauseAfterError, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task SubmitAsync(TaskPoolService.TaskPoolServiceClient client, TaskSpec[] tasks, CancellationToken stop)
    {
        Array.ForEach(tasks, history.Attempt);
        if (tasks is [var single])
        {
            await client.SubmitAsync(new SubmitRequest { Task = single }, cancellationToken: stop);
            history.Accept(single.Id);
            return;
        }

        SubmitBatchResponse response = await client.SubmitBatchAsync(new SubmitBatchRequest { Tasks = { tasks } }, cancellationToken: stop);
        for (int i = 0; i < tasks.Length; i++)
        {
            if (response.Results[i].Error is null)
                history.Accept(tasks[i].Id);
        }
    }

    /// <summary>Most tasks are over at once; some last, so that a crash finds them running, and some are seen by others than the server.</summary>
    private TaskSpec Make(int number)
    {
        var random = new Random(unchecked((plan.Seed * 1_000_003) + number));
        var task = new TaskSpec { Id = $"t{number:d6}", Retry = new RetryPolicy { InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20)) } };
        int chance = random.Next(plan.Rarity);
        (task.Kind, task.Payload) = chance switch
        {
            < 2 => (HandlerRecord.RecordKind, ByteString.Empty),
            < 4 => ("sleep", ByteString.CopyFromUtf8("""{"seconds":0.1}""")),
            < 9 => ("sleep", ByteString.CopyFromUtf8("""{"seconds":0.01}""")),
            _ => ("echo", ByteString.CopyFrom(new byte[random.Next(plan.PayloadBytesMax)])),
        };
        if (chance is >= 4 and < 9)
            task.SerialKey = $"key{chance % 3}";
        if (chance is 1 or 3 or 10)
        {
            task.Labels[AtMostOnceLabel] = "";
            task.Retry.MaxLosses = 0;
        }

        return task;
    }
}
