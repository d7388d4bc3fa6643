using System.Diagnostics;
using System.Text.RegularExpressions;
using GrpcPool.Server.Tests.Infrastructure;

namespace GrpcPool.Cli.Tests;

public sealed partial class AccessTests
{
    private const int Timeout = 60_000;

    [Fact(Timeout = Timeout)]
    public async Task A_fresh_token_opens_an_encrypted_server_to_the_command_line()
    {
        Match made = TokenAndHash().Match((await Executable.RunOnceAsync("token", "new")).Output);
        (string token, string hash) = (made.Groups[1].Value, made.Groups[2].Value);
        using var files = new CertificateFiles();
        using var executable = new Executable();
        string[] settings = [$"Access:Tokens:web:Hash={hash}", "Access:Tokens:web:Roles:0=submit", "Access:Tokens:web:Roles:1=read"];
        (Process server, string address) = await StartAsync(executable, files, settings);
        string[] reach = ["--address", address, "--ca", files.Authority];

        Ended run = await executable.RunAsync(["run", "echo", "hello", "--token", token, .. reach]);
        Assert.Equal((0, "hello"), (run.Code, run.Output.Trim()));
        Ended refused = await executable.RunAsync(["count", .. reach]);
        Assert.Equal((1, true), (refused.Code, refused.Errors.Contains("asks for a token", StringComparison.Ordinal)));
        Assert.Equal((0, "SERVING"), await executable.RunAsync(["health", .. reach]) is var health ? (health.Code, health.Output.Trim()) : default);
        Assert.Equal(69, (await executable.RunAsync(["count", "--token", token, "--address", address])).Code);
        server.Kill(entireProcessTree: true);
        server.Dispose();
    }

    [Fact(Timeout = Timeout)]
    public async Task A_server_that_asks_for_certificates_is_shown_one()
    {
        using var files = new CertificateFiles();
        using var executable = new Executable();
        (Process server, string address) = await StartAsync(executable, files, [$"Listen:Tls:ClientAuthorities={files.Authority}"]);
        string[] reach = ["--address", address, "--ca", files.Authority];
        string[] shown = [.. reach, "--cert", files.Certificate, "--cert-key", files.Key];

        Assert.Equal(0, (await executable.RunAsync(["count", .. shown])).Code);
        Assert.Equal(0, (await executable.RunAsync(["health", .. shown])).Code);
        Assert.Equal(69, (await executable.RunAsync(["count", .. reach])).Code);
        server.Kill(entireProcessTree: true);
        server.Dispose();
    }

    private static async Task<(Process Server, string Address)> StartAsync(Executable executable, CertificateFiles files, string[] more)
    {
        string[] settings =
        [
            "Listen:Grpc=https://127.0.0.1:0", "Listen:Http=", "Listen:Ops=", "Storage:Type=memory", $"Listen:Tls:Certificate={files.Certificate}", $"Listen:Tls:Key={files.Key}", .. more,
        ];
        Process server = executable.Start(["serve", .. settings.SelectMany(static setting => (string[])["--set", setting])]);
        string address = "";
        while (address.Length == 0)
            address = Listening().Match(await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("it has ended")).Groups[1].Value;
        return (server, address);
    }

    [GeneratedRegex(@"^token (gpt_[\w-]{43})\nhash  ([0-9a-f]{64})\n$")]
    private static partial Regex TokenAndHash();

    [GeneratedRegex(@"gRPC on (https://[^\s,]+)")]
    private static partial Regex Listening();
}
