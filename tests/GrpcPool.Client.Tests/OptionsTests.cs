using GrpcPool.Client.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace GrpcPool.Client.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void All_violations_are_named_at_once()
    {
        var options = new GrpcPoolClientOptions
        {
            Address = new Uri("ftp://127.0.0.1"),
            Token = "with space",
            Namespace = "Upper",
            CaCertificateFile = "/nowhere/ca.pem",
            ClientKeyFile = "/nowhere/key.pem",
            RetryFor = TimeSpan.FromSeconds(-1),
            ReconnectFor = TimeSpan.FromSeconds(-1),
        };
        OptionsValidationException refusal = Assert.Throws<OptionsValidationException>(() => new GrpcPoolClient(options));
        string[] names = ["Address", "Namespace", "Token", "CaCertificateFile", "CaCertificateFile", "ClientKeyFile", "ClientKeyFile", "ClientCertificateFile", "RetryFor", "ReconnectFor"];
        Assert.Equal(names, refusal.Failures.Select(static failure => failure.Split(' ')[0]));
    }

    [Theory]
    [InlineData("http://pool.example:50051", false)]
    [InlineData("http://127.0.0.1:50051", true)]
    [InlineData("http://localhost:50051", true)]
    [InlineData("https://pool.example", true)]
    [InlineData("unix:/run/grpcpool.sock", true)]
    public void A_token_does_not_go_to_another_machine_in_clear_text(string address, bool allowed)
    {
        var options = new GrpcPoolClientOptions { Address = new Uri(address), Token = "secret" };
        Assert.Equal(allowed, new OptionsCheck().Validate(null, options).Succeeded);
        options.AllowInsecureToken = true;
        Assert.True(new OptionsCheck().Validate(null, options).Succeeded);
    }

    [Theory]
    [InlineData("unix:")]
    [InlineData("unix:relative.sock")]
    [InlineData("/run/grpcpool.sock")]
    public void An_address_that_leads_nowhere_is_refused(string address)
    {
        var options = new GrpcPoolClientOptions { Address = new Uri(address, UriKind.RelativeOrAbsolute) };
        Assert.True(new OptionsCheck().Validate(null, options).Failed);
    }

    [Fact]
    public async Task A_host_has_one_client_with_its_options()
    {
        await using ServiceProvider services = new ServiceCollection().AddGrpcPoolClient(static options => options.Namespace = "from-the-host").BuildServiceProvider();
        Assert.Same(services.GetRequiredService<GrpcPoolClient>(), services.GetRequiredService<GrpcPoolClient>());
        Assert.Equal("from-the-host", services.GetRequiredService<IOptions<GrpcPoolClientOptions>>().Value.Namespace);
    }

    [Fact]
    public async Task Wrong_options_stop_a_host_at_its_start()
    {
        await using ServiceProvider services = new ServiceCollection().AddGrpcPoolClient(static options => options.Namespace = "").BuildServiceProvider();
        Assert.Throws<OptionsValidationException>(services.GetRequiredService<IStartupValidator>().Validate);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_that_was_closed_says_so()
    {
        GrpcPoolClient client = TestClient.Of(new Uri("http://127.0.0.1:1"));
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.SubmitAsync(TestClient.Echo(), TestClient.Stop));
    }
}
