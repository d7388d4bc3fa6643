using Grpc.Net.Client;
using GrpcPool.SampleHost;
using GrpcPool.V1;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.Services.ConfigureHttpJsonOptions(static http =>
{
    http.SerializerOptions.TypeInfoResolverChain.Insert(0, AppJson.Default);
    http.SerializerOptions.RespectNullableAnnotations = true;
    http.SerializerOptions.RespectRequiredConstructorParameters = true;
});
builder.Services.AddSingleton<StoreCount>();
builder.Services.AddScoped<ImageStore>();
builder.Services.AddSingleton(static host =>
{
    string address = host.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    return new TaskPoolService.TaskPoolServiceClient(GrpcChannel.ForAddress(address));
});

builder.Services.AddGrpcPool(builder.Configuration.GetSection("GrpcPool"))
    .AddHandler<ThumbnailHandler>("thumbnail")
    .AddHandler<ResizeHandler>("resize", handler => handler.RunTimeout = TimeSpan.FromMinutes(5));
builder.Services.AddHealthChecks().AddGrpcPool();

WebApplication app = builder.Build();
app.MapGrpcPool();
app.MapHealthChecks("/healthz");
app.MapPost("/resize", ResizeEndpoint.SubmitAsync);
app.MapGet("/stores", static (StoreCount count) => new StoreReport(count.Opened, count.Disposed));
await app.RunAsync();
