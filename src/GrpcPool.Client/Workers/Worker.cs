using Grpc.Core;
using GrpcPool.V1;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Client.Workers;

/// <summary>A worker over its streams: connects, comes back after trouble as the one that it was, and leaves when it has drained.</summary>
internal sealed class Worker(WorkerSession session, WorkerService.WorkerServiceClient service, GrpcPoolWorkerOptions options, TimeProvider time, ILogger log) : IDisposable
{
    private readonly Patience _patience = new(Timeout.InfiniteTimeSpan, time);
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _leave = new();
    private volatile bool _isLeaving;
    private bool _isAway;

    /// <summary>Works until it is told to leave, or until the pool has drained it for good.</summary>
    /// <param name="cancellation">Ends it at once.</param>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            TimeSpan pause;
            if (!session.IsDraining || !session.IsIdle)
                pause = await ServeAsync(cancellation).ConfigureAwait(false);
            else if (_isLeaving || options.StopHostWhenDrained)
                break;
            else
                pause = Rejoin();
            await PauseAsync(pause, cancellation).ConfigureAwait(false);
        }

        Log.WorkerLeft(log, options.Name);
    }

    /// <summary>Takes no more, ends what it holds, and leaves.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _isLeaving = true;
            session.Drain();
        }

        _leave.Cancel();
    }

    public void Dispose() => _leave.Dispose();

    private TimeSpan Rejoin()
    {
        lock (_lock)
        {
            if (_isLeaving)
                return TimeSpan.Zero;
            session.Rejoin();
            return Patience.PauseMax;
        }
    }

    private async Task<TimeSpan> ServeAsync(CancellationToken cancellation)
    {
        using var stream = new WorkerStream(session, service, time, _leave.Token, cancellation);
        try
        {
            await stream.RunAsync(MakeHello(), OnWelcome).ConfigureAwait(false);
            return TimeSpan.Zero;
        }
        catch (RpcException error)
        {
            return OnTrouble(error, stream.WasSilent);
        }
#pragma warning disable CA1031 // A worker never dies silently.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Log.WorkerFailed(log, options.Name, fault);
            session.Forget();
            return Patience.PauseMax;
        }
    }

    private Hello MakeHello() =>
        new() { WorkerName = options.Name, Kinds = { session.Kinds }, Slots = session.Slots, Labels = { options.Labels }, ResumeWorkerId = session.Id };

    private void OnWelcome(bool resumed)
    {
        _patience.Renew();
        _isAway = false;
        Log.WorkerWelcome(log, options.Name, session.Id, resumed, session.Slots);
    }

    private TimeSpan OnTrouble(RpcException error, bool wasSilent)
    {
        if (!_patience.Allows(error, out TimeSpan pause))
        {
            Log.WorkerRefused(log, options.Name, error.Status.StatusCode, error.Status.Detail);
            session.Forget();
            return Patience.PauseMax;
        }

        if (!_isAway && !_isLeaving)
            Log.WorkerAway(log, options.Name, wasSilent ? "the pool was silent" : error.Status.Detail);
        _isAway = true;
        return pause;
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellation)
    {
        if (session.IsDraining && session.IsIdle)
            return;
        CancellationToken early = _leave.IsCancellationRequested ? cancellation : _leave.Token;
        await Task.Delay(pause, time, early).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
