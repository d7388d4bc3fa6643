using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Tests.Http;

/// <summary>A web application on a free port that receives tasks.</summary>
internal sealed class WebApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebApp(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    public static async Task<WebApp> StartAsync(RequestDelegate receive)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        app.MapPost("/tasks", receive);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new WebApp(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
