using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>The executable as a process of its own.</summary>
internal sealed partial class ServerProcess : IDisposable
{
    private static readonly string Executable =
        typeof(ServerProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static attribute => attribute.Key == "Executable").Value!;

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task<string> _errors;
    private readonly CancellationToken _stop;

    private ServerProcess(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, CancellationToken stop)
    {
        _stop = stop;
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (string argument in (string[])[Executable, .. arguments])
            start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    /// <summary>Where it listens for gRPC; known after it has started to serve.</summary>
    public Uri GrpcAddress { get; private set; } = null!;

    /// <summary>Where it answers operators, if it does; known as the other is.</summary>
    public Uri? OpsAddress { get; private set; }

    /// <summary>Starts <c>grpcpool serve</c> on a free port and waits until it listens.</summary>
    /// <param name="settings">Settings of the form <c>Pool:Slots=8</c>.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="stop">Ends all waiting for the process.</param>
    /// <exception cref="InvalidOperationException">It ended instead; its output is the message.</exception>
    public static async Task<ServerProcess> ServeAsync(IEnumerable<string> settings, IReadOnlyDictionary<string, string> environment, CancellationToken stop)
    {
        ServerProcess server = Start(settings, environment, stop);
        while (await server._process.StandardOutput.ReadLineAsync(stop) is { } line)
        {
            server._output.AppendLine(line);
            if (Listening().Match(line) is { Success: true } match)
            {
                server.GrpcAddress = new Uri(match.Groups[1].Value);
                server.OpsAddress = match.Groups[2].Success ? new Uri(match.Groups[2].Value) : null;
                return server;
            }
        }

        throw new InvalidOperationException($"the server did not start: {server._output} {await server._errors}");
    }

    /// <summary>Starts <c>grpcpool serve</c> without waiting for anything.</summary>
    public static ServerProcess Start(IEnumerable<string> settings, IReadOnlyDictionary<string, string> environment, CancellationToken stop) =>
        new(["serve", .. Set(["Listen:Grpc=http://127.0.0.1:0", .. settings])], environment, stop);

    public static IEnumerable<string> Set(IEnumerable<string> settings) => settings.SelectMany(static setting => (string[])["--set", setting]);

    /// <summary>Ends it at once, as a crash does.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Waits until it has written this text so many times.</summary>
    public async Task UntilAsync(string text, int times = 1)
    {
        try
        {
            while (_output.ToString().Split(text).Length <= times)
            {
                string line = await _process.StandardOutput.ReadLineAsync(_stop)
                    ?? throw new InvalidOperationException($"the server ended before it wrote '{text}': {_output} {await _errors}");
                _output.AppendLine(line);
            }
        }
        catch (OperationCanceledException cancelled)
        {
            throw new TimeoutException($"the server did not write '{text}' in time: {_output}", cancelled);
        }
    }

    /// <summary>Waits for the end: the exit code, and what was written.</summary>
    public async Task<(int Code, string Output, string Errors)> EndAsync()
    {
        _output.Append(await _process.StandardOutput.ReadToEndAsync(_stop));
        await _process.WaitForExitAsync(_stop);
        return (_process.ExitCode, _output.ToString(), await _errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    [GeneratedRegex(@"gRPC on (http://\S+?)(?: and \S+)?,(?:.* operations on (http://[\w.:]+))?")]
    private static partial Regex Listening();
}
