using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GrpcPool.Client;

namespace GrpcPool.Cli.Tests.Infrastructure;

/// <summary>Runs client commands against the server, in a namespace of the test's own.</summary>
internal sealed class Session : IDisposable
{
    private const int NamespaceCharactersMax = 64;
    private const int Interrupt = 2;

    private readonly Executable _executable = new();

    public Session(Pool pool, [CallerMemberName] string test = "")
    {
        string space = test.ToLowerInvariant();
        Environment = [("GRPCPOOL_ADDRESS", pool.Address.ToString()), ("GRPCPOOL_NAMESPACE", space[..Math.Min(NamespaceCharactersMax, space.Length)])];
        Client = pool.Connect(Environment[1].Value);
    }

    public (string Name, string Value)[] Environment { get; }

    /// <summary>The same namespace without the command line.</summary>
    public GrpcPoolClient Client { get; }

    public string WorkingFolder => _executable.WorkingFolder;

    public string TemporaryFolder => _executable.TemporaryFolder;

    public Process Start(params string[] arguments) => _executable.Start(arguments, Environment);

    /// <summary>Starts a line of a shell.</summary>
    public Process StartLine(string line) => StartProgram("bash", "-c", line);

    public Process StartProgram(string program, params string[] arguments) => _executable.StartProgram(program, arguments, Environment);

    public Task<Ended> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    public async Task<Ended> RunWithInputAsync(string input, params string[] arguments)
    {
        Process process = Start(arguments);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        return await Executable.EndAsync(process);
    }

    public Task WriteFileAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(WorkingFolder, name), text, TestContext.Current.CancellationToken);

    /// <summary>Presses Ctrl-C.</summary>
    public static void InterruptIt(Process process) => Assert.Equal(0, Kill(process.Id, Interrupt));

    /// <summary>Reads lines until one has the text.</summary>
    public static async Task ReadUntilAsync(StreamReader reader, string text)
    {
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
                return;
        }

        Assert.Fail($"It ended without \"{text}\".");
    }

    public void Dispose()
    {
        Client.Dispose();
        _executable.Dispose();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
