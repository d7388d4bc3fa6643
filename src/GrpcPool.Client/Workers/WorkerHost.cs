using GrpcPool.V1;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace GrpcPool.Client.Workers;

/// <summary>The worker's life in its host: from when the host has started until it stops, while everything else is still there.</summary>
internal sealed class WorkerHost : IHostedLifecycleService, IDisposable
{
    private const string ShutDown = "the worker shuts down";

    private static readonly TimeSpan AbandonTimeout = TimeSpan.FromSeconds(2), CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly GrpcPoolWorkerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly IHostApplicationLifetime? _lifetime;
    private readonly WorkerSession _session;
    private readonly Worker _worker;
    private readonly CancellationTokenSource _abort = new();
    private Task _running = Task.CompletedTask;

    public WorkerHost(
        GrpcPoolClient client,
        IOptions<GrpcPoolWorkerOptions> options,
        IServiceProvider host,
        IHostApplicationLifetime? lifetime = null,
        ILogger<WorkerHost>? log = null,
        TimeProvider? time = null)
    {
        (_options, _lifetime, _log, _time) = (options.Value, lifetime, log ?? NullLogger<WorkerHost>.Instance, time ?? TimeProvider.System);
        _session = new WorkerSession(WorkHandlerRegistration.CreateAll(_options.Handlers, host), _options.Slots, _time);
        _worker = new Worker(_session, new WorkerService.WorkerServiceClient(client.Invoker), _options, _time, _log);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _running = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        Log.WorkerDrains(_log, _options.Name, _options.DrainTimeout);
        _worker.Leave();
        if (await EndsWithinAsync(_options.DrainTimeout, cancellationToken).ConfigureAwait(false))
            return;
        _session.Abandon(ShutDown);
        if (await EndsWithinAsync(AbandonTimeout, cancellationToken).ConfigureAwait(false))
            return;
        _session.Drop(ShutDown);
        if (await EndsWithinAsync(CloseTimeout, CancellationToken.None).ConfigureAwait(false))
            return;
        await _abort.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _worker.Dispose();
        _abort.Dispose();
    }

    private async Task RunAsync()
    {
        await _worker.RunAsync(_abort.Token).ConfigureAwait(false);
        _lifetime?.StopApplication();
    }

    private async Task<bool> EndsWithinAsync(TimeSpan limit, CancellationToken cancellation)
    {
        try
        {
            await _running.WaitAsync(limit, _time, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }
}
