using System.Diagnostics;
using System.Text.RegularExpressions;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.Client;

[assembly: AssemblyFixture(typeof(Pool))]

namespace GrpcPool.Cli.Tests.Infrastructure;

/// <summary>The server of all tests of client commands, a process of its own; each test works in a namespace of its own.</summary>
public sealed partial class Pool : IAsyncLifetime
{
    /// <summary>One that writes a log and answers with its payload, and one that does not hear that it is to stop.</summary>
    private const string Handlers = """
        {
          "Handlers": {
            "chat": {"Type": "command", "Command": "/bin/sh", "Arguments": ["-c", "echo one >&2; echo ::progress 0.5 half >&2; echo two >&2; cat"]},
            "deaf": {"Type": "command", "Command": "/bin/sh", "Arguments": ["-c", "trap '' TERM; echo started >&2; while :; do sleep 60; done"]}
          }
        }
        """;

    private readonly Executable _executable = new();
    private Process? _process;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Its Unix socket.</summary>
    internal string Socket => Path.Combine(_executable.TemporaryFolder, "pool.sock");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_executable.WorkingFolder, "grpcpool.json"), Handlers);
        string[] settings = ["Listen:Grpc=http://127.0.0.1:0", "Listen:Http=", "Listen:Ops=", $"Listen:Socket={Socket}", "Pool:Slots=64", "Pool:DrainTimeout=00:00:00", "Queues:small:Capacity=1"];
        _process = _executable.Start(["serve", .. settings.SelectMany(static setting => (string[])["--set", setting])]);
        while (Address is null)
        {
            string line = await _process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await _process.StandardError.ReadToEndAsync());
            Address = Listening().Match(line) is { Success: true } match ? new Uri(match.Groups[1].Value) : Address!;
        }
    }

    /// <summary>A client of one namespace.</summary>
    internal GrpcPoolClient Connect(string space) => new(new GrpcPoolClientOptions { Address = Address, Namespace = space });

    public ValueTask DisposeAsync()
    {
        _process?.Kill(entireProcessTree: true);
        _process?.WaitForExit();
        _process?.Dispose();
        _executable.Dispose();
        return ValueTask.CompletedTask;
    }

    [GeneratedRegex(@"gRPC on (http://[^\s,]+)")]
    private static partial Regex Listening();
}
