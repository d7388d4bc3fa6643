using System.Collections.Concurrent;
using System.Threading.Channels;
using GrpcPool.Client.Workers;
using GrpcPool.Server.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests.Infrastructure;

/// <summary>A host that is a worker for the kind <c>test</c>, whose handler is the test's.</summary>
internal sealed class TestWorker : IAsyncDisposable
{
    private readonly IHost _host;

    private readonly TimeProvider _time;

    private TestWorker(IHost host, LogRecorder log, TimeProvider time) => (_host, Log, _time) = (host, log, time);

    public LogRecorder Log { get; }

    public CancellationToken Stopping => _host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;

    public static async Task<TestWorker> StartAsync(
        Uri address, TestHandler handler, TimeProvider time, Action<GrpcPoolWorkerOptions>? configure = null, Action<GrpcPoolWorkerBuilder>? build = null)
    {
        var log = new LogRecorder();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(log);
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(handler);
        builder.Services.AddGrpcPoolClient(options => options.Address = address);
        GrpcPoolWorkerBuilder worker = builder.Services.AddGrpcPoolWorker(options => (options.Name, options.Slots) = ("worker", 4)).AddHandler<TestHandler>("test");
        builder.Services.Configure<GrpcPoolWorkerOptions>(options => configure?.Invoke(options));
        build?.Invoke(worker);
        IHost host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new TestWorker(host, log, time);
    }

    public Task StopAsync() => _host.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        // Who is disposed of with work in hand does not wait for it.
        Task<bool> stopped = StopNowAsync();
        await (_time is FakeTimeProvider fake ? fake.PassUntilAsync(stopped) : stopped);
        _host.Dispose();
    }

    private async Task<bool> StopNowAsync()
    {
        await _host.StopAsync(new CancellationToken(true));
        return true;
    }
}

/// <summary>Runs attempts until the test ends them, or as it says.</summary>
internal sealed class TestHandler : IWorkHandler
{
    private readonly Channel<TestRun> _started = Channel.CreateUnbounded<TestRun>();

    public Func<WorkContext, CancellationToken, ValueTask<WorkOutcome>>? OnRun { get; init; }

    public ConcurrentQueue<string> Ran { get; } = new();

    public Task<TestRun> NextStartAsync() => _started.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask();

    public async ValueTask<WorkOutcome> RunAsync(WorkContext context, CancellationToken stopping)
    {
        Ran.Enqueue(context.TaskId);
        if (OnRun is not null)
            return await OnRun(context, stopping);
        var run = new TestRun(context, stopping);
        _started.Writer.TryWrite(run);
        return await run.Ending.Task;
    }
}

/// <summary>An attempt that goes on until the test ends it.</summary>
internal sealed record TestRun(WorkContext Context, CancellationToken Stopping)
{
    /// <summary>Where a thread of the pool sets it, the attempt has ended when that returns.</summary>
    public TaskCompletionSource<WorkOutcome> Ending { get; } = new();

    public void Succeed(string result = "") => Ending.SetResult(WorkOutcome.Succeeded(System.Text.Encoding.UTF8.GetBytes(result)));

    /// <summary>Waits until the attempt is asked to stop.</summary>
    public Task StoppedAsync() => FiredAsync(Stopping);

    /// <summary>Waits until its lease is lost.</summary>
    public Task KilledAsync() => FiredAsync(Context.Killed);

    private static async Task FiredAsync(CancellationToken token)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = token.Register(fired.SetResult);
        await fired.Task.WaitAsync(TestContext.Current.CancellationToken);
    }
}
