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
        string[] settings =
        [
            "Listen:Grpc=https://127.0.0.1:0", "Listen:Http=", "Listen:Ops=", "Storage:Type=memory", $"Listen:Tls:Certificate={files.Certificate}", $"Listen:Tls:Key={files.Key}",
            $"Access:Tokens:web:Hash={hash}", "Access:Tokens:web:Roles:0=submit", "Access:Tokens:web:Roles:1=read",
        ];
        using Process server = executable.Start(["serve", .. settings.SelectMany(static setting => (string[])["--set", setting])]);
        string address = "";
        while (address.Length == 0)
            address = Listening().Match(await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("it has ended")).Groups[1].Value;
        string[] reach = ["--address", address, "--ca", files.Authority];

        Ended run = await executable.RunAsync(["run", "echo", "hello", "--token", token, .. reach]);
        Assert.Equal((0, "hello"), (run.Code, run.Output.Trim()));
        Ended refused = await executable.RunAsync(["count", .. reach]);
        Assert.Equal((1, true), (refused.Code, refused.Errors.Contains("asks for a token", StringComparison.Ordinal)));
        Assert.Equal((0, "SERVING"), await executable.RunAsync(["health", .. reach]) is var health ? (health.Code, health.Output.Trim()) : default);
        Assert.Equal(69, (await executable.RunAsync(["count", "--token", token, "--address", address])).Code);
        server.Kill(entireProcessTree: true);
    }

    [GeneratedRegex(@"^token (gpt_[\w-]{43})\nhash  ([0-9a-f]{64})\n$")]
    private static partial Regex TokenAndHash();

    [GeneratedRegex(@"gRPC on (https://[^\s,]+)")]
    private static partial Regex Listening();
}
