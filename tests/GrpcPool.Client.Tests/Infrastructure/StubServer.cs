using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using GrpcPool.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Client.Tests.Infrastructure;

/// <summary>A server that answers as the test says.</summary>
internal sealed class StubServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StubServer(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single().Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
    }

    public Uri Address { get; }

    /// <param name="pool">What it answers.</param>
    /// <param name="certificate">With which it serves TLS; null: it does not.</param>
    /// <param name="clientsNeedOne">Whether a client must show a certificate of its own.</param>
    /// <param name="workers">How it treats workers.</param>
    public static async Task<StubServer> StartAsync(StubPool pool, X509Certificate2? certificate = null, bool clientsNeedOne = false, StubWorkers? workers = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddGrpc();
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(pool);
        builder.Services.AddSingleton(workers ?? new StubWorkers());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listener =>
        {
            listener.Protocols = HttpProtocols.Http2;
            if (certificate is not null)
                listener.UseHttps(tls => (tls.ServerCertificate, tls.ClientCertificateMode, tls.ClientCertificateValidation) =
                    (certificate, clientsNeedOne ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate, (_, _, _) => true));
        }));
        WebApplication app = builder.Build();
        app.MapGrpcService<StubPool>();
        app.MapGrpcService<StubWorkers>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new StubServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

internal sealed class StubPool : TaskPoolService.TaskPoolServiceBase
{
    public Func<SubmitRequest, ServerCallContext, SubmitResponse> OnSubmit { get; set; } = static (request, _) => new SubmitResponse { Task = new TaskInfo { Id = request.Task.Id }, Created = true };

    public Func<SubmitBatchRequest, SubmitBatchResponse> OnSubmitBatch { get; set; } = static _ => new SubmitBatchResponse();

    public Func<WatchRequest, IServerStreamWriter<WatchResponse>, CancellationToken, Task> OnWatch { get; set; } = static (_, _, _) => Task.CompletedTask;

    public override Task<SubmitResponse> Submit(SubmitRequest request, ServerCallContext context) => Task.FromResult(OnSubmit(request, context));

    public override Task<SubmitBatchResponse> SubmitBatch(SubmitBatchRequest request, ServerCallContext context) => Task.FromResult(OnSubmitBatch(request));

    public override Task Watch(WatchRequest request, IServerStreamWriter<WatchResponse> responseStream, ServerCallContext context) =>
        OnWatch(request, responseStream, context.CancellationToken);
}
