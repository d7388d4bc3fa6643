using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Watching;

/// <summary>Brings news to <c>top</c>, for as long as somebody looks: a server that does not answer is asked again.</summary>
internal static class TopFeed
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    /// <summary>How the pool is, once per interval.</summary>
    public static Task ReadPoolAsync(GrpcPoolClient client, Duration? interval, TopBoard board, CancellationToken stop) => KeepReadingAsync(board, async () =>
    {
        using AsyncServerStreamingCall<WatchPoolResponse> watch = client.Admin().WatchPool(new WatchPoolRequest { Interval = interval }, cancellationToken: stop);
        while (await watch.ResponseStream.MoveNext(stop).ConfigureAwait(false))
            board.Take(watch.ResponseStream.Current.Pool);
    }, stop);

    /// <summary>What runs, with its progress.</summary>
    public static Task ReadTasksAsync(GrpcPoolClient client, TopBoard board, CancellationToken stop) => KeepReadingAsync(board, async () =>
    {
        var running = new TaskFilter { States = { TaskState.Running } };
        await foreach (TaskEvent told in client.WatchAsync(running, cancellationToken: stop).ConfigureAwait(false))
            board.Take(told);
    }, stop);

    private static async Task KeepReadingAsync(TopBoard board, Func<Task> read, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await read().ConfigureAwait(false);
            }
            catch (RpcException fault) when (!stop.IsCancellationRequested)
            {
                board.TakeTrouble(Wording.Line(fault.Status.DebugException?.GetBaseException().Message ?? fault.Status.Detail));
            }
            catch (Exception left) when (stop.IsCancellationRequested && left is RpcException or OperationCanceledException)
            {
                return;
            }

            await Task.Delay(AskAgain, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
