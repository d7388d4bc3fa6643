using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>A program of a folder below <c>tests/polyglot</c> as a child process; disposing ends it with its descendants.</summary>
internal sealed class Script : IDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private Script(Process process)
    {
        _process = process;
        _output = ReadAsync();
        _errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    public static Script Start(string folder, string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        // A path is one within the folder.
        var start = new ProcessStartInfo(program.Contains('/', StringComparison.Ordinal) ? Path.Combine(FolderOf(folder), program) : program, arguments)
        {
            WorkingDirectory = FolderOf(folder),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return new Script(Process.Start(start)!);
    }

    /// <summary>Runs a program to its end, or to that of the test.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string folder, string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        using Script script = Start(folder, program, arguments, environment);
        return await script.EndAsync();
    }

    public static string FolderOf(string name)
    {
        DirectoryInfo root = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "GrpcPool.sln")))
            root = root.Parent ?? throw new DirectoryNotFoundException("The tests run outside of the sources.");
        return Path.Combine(root.FullName, "tests", "polyglot", name);
    }

    /// <summary>Asks it to end.</summary>
    public Task TerminateAsync() => SignalAsync("TERM");

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Writes a line to its standard input.</summary>
    public async Task SayAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until it writes this line.</summary>
    public Task SaysAsync(string line) => SaysAsync(said => said == line, line);

    /// <summary>Waits until it writes such a line.</summary>
    /// <param name="isIt">Tells the line.</param>
    /// <param name="description">What the line says.</param>
    public async Task SaysAsync(Func<string, bool> isIt, string description)
    {
        await foreach (string said in _lines.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (isIt(said))
                return;
        }

        Assert.Fail($"the program has ended before it said '{description}': {await EndAsync()}");
    }

    /// <summary>Waits for its end: the exit code, and what it wrote.</summary>
    public Task<(int ExitCode, string Output)> EndAsync() => ReadToEndAsync(TestContext.Current.CancellationToken);

    /// <summary>The same, also beyond the end of the test.</summary>
    public Task<(int ExitCode, string Output)> EndHoweverLongAsync() => ReadToEndAsync(CancellationToken.None);

    private async Task<(int ExitCode, string Output)> ReadToEndAsync(CancellationToken stop)
    {
        await Task.WhenAll(_output, _errors, _process.WaitForExitAsync(stop)).WaitAsync(stop);
        return (_process.ExitCode, await _output + await _errors);
    }

    /// <summary>Waits for what the program makes happen; when it ends instead, its output is the error.</summary>
    public async Task<T> WhileItRunsAsync<T>(Task<T> work)
    {
        Task<(int ExitCode, string Output)> end = EndAsync();
        if (await Task.WhenAny(work, end) == end)
            Assert.Fail($"the program has ended: {await end}");
        return await work;
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private async Task<string> ReadAsync()
    {
        var all = new StringBuilder();
        while (await _process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            all.Append(line).Append('\n');
            _lines.Writer.TryWrite(line);
        }

        _lines.Writer.Complete();
        return all.ToString();
    }
}
