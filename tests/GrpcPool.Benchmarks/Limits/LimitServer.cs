using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Benchmarks.Rows;
using GrpcPool.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcPool.Benchmarks.Limits;

/// <summary>A gRPC server that does nothing, in a process of its own.</summary>
internal sealed class LimitServer : LimitService.LimitServiceBase
{
    public const string Command = "serve-limits";

    public static async Task<int> RunAsync(string port)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<LimitServer>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.ListenLocalhost(int.Parse(port, CultureInfo.InvariantCulture), static listen => listen.Protocols = HttpProtocols.Http2));
        await using WebApplication app = builder.Build();
        app.UseRouting();
        app.MapGrpcService<LimitServer>();
        await app.RunAsync();
        return 0;
    }

    public override Task<Chunk> Echo(Chunk request, ServerCallContext context) => Task.FromResult(request);

    public override async Task<Chunk> Ingest(IAsyncStreamReader<SubmitStreamRequest> requestStream, ServerCallContext context)
    {
        await foreach (SubmitStreamRequest _ in requestStream.ReadAllAsync())
        {
        }

        return new Chunk();
    }

    public override async Task Relay(IAsyncStreamReader<Reports> requestStream, IServerStreamWriter<Assignments> responseStream, ServerCallContext context)
    {
        Assignments? assignments = null;
        await foreach (Reports reports in requestStream.ReadAllAsync())
            await responseStream.WriteAsync(assignments ??= WorkerThroughput.Assignments(reports.Items.Count));
    }

    public override async Task Emit(EmitRequest request, IServerStreamWriter<Chunk> responseStream, ServerCallContext context)
    {
        var chunk = new Chunk { Data = ByteString.CopyFrom(new byte[request.Bytes]) };
        for (int i = 0; i < request.Messages; i++)
            await responseStream.WriteAsync(chunk);
    }
}
