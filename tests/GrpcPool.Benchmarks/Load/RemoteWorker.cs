using GrpcPool.Client;
using GrpcPool.Client.Workers;
using GrpcPool.V1;
using Microsoft.Extensions.Hosting;

namespace GrpcPool.Benchmarks.Load;

/// <summary>A worker of GrpcPool.Client that does nothing with its tasks.</summary>
internal sealed class RemoteWorker : IAsyncDisposable
{
    public const string Kind = "noop";

    public const int Slots = 256;

    private readonly IHost _host;

    private RemoteWorker(IHost host) => _host = host;

    public static TaskSpec Task => new(PoolLoad.Echo) { Kind = Kind };

    public static async Task<RemoteWorker> StartAsync(ServerProcess pool)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddGrpcPoolClient(options => options.Address = new Uri($"http://127.0.0.1:{pool.Port}"));
        builder.Services.AddGrpcPoolWorker(static options => options.Slots = Slots).AddHandler<NoOp>(Kind);
        IHost host = builder.Build();
        await host.StartAsync();
        return new RemoteWorker(host);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private sealed class NoOp : IWorkHandler
    {
        public ValueTask<WorkOutcome> RunAsync(WorkContext context, CancellationToken stopping) => ValueTask.FromResult(WorkOutcome.Succeeded());
    }
}
