using System.Diagnostics;
using System.Runtime.InteropServices;

namespace GrpcPool.Cli.Tests;

/// <summary>The executable as it is built, run in an empty folder of its own.</summary>
internal sealed class Executable : IDisposable
{
    private const string OwnVariables = "GRPCPOOL_";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-cli-tests-");

    public Executable()
    {
        WorkingFolder = _folder.CreateSubdirectory("work").FullName;
        TemporaryFolder = _folder.CreateSubdirectory("tmp").FullName;
    }

    public string WorkingFolder { get; }

    /// <summary>What it takes for the system's temporary folder.</summary>
    public string TemporaryFolder { get; }

    /// <summary>Runs a command to its end, in a folder that is new.</summary>
    public static async Task<Ended> RunOnceAsync(params string[] arguments)
    {
        using var executable = new Executable();
        return await executable.RunAsync(arguments);
    }

    public Task<Ended> RunAsync(params string[] arguments) => EndAsync(Start(arguments));

    /// <summary>Starts it without a terminal, so that what it prints is redirected.</summary>
    public Process Start(string[] arguments, params (string Name, string Value)[] environment) =>
        StartProgram(Path.Combine(AppContext.BaseDirectory, "grpcpool"), arguments, environment);

    /// <summary>Starts another program, which finds the executable on its path.</summary>
    public Process StartProgram(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = WorkingFolder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => name.StartsWith(OwnVariables, StringComparison.Ordinal)))
            start.Environment.Remove(name);

        // Where this process found its runtime, that one does too.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        start.Environment["PATH"] = $"{AppContext.BaseDirectory}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["TMPDIR"] = TemporaryFolder;
        start.Environment["HOME"] = WorkingFolder;
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Waits for its end; on the test's timeout it is killed.</summary>
    /// <param name="process">The process.</param>
    /// <param name="leaveChildren">Whether what it started goes on.</param>
    public static async Task<Ended> EndAsync(Process process, bool leaveChildren = false)
    {
        using (process)
        {
            try
            {
                CancellationToken timeout = TestContext.Current.CancellationToken;
                Task<string> output = process.StandardOutput.ReadToEndAsync(timeout);
                Task<string> errors = process.StandardError.ReadToEndAsync(timeout);
                await process.WaitForExitAsync(timeout);
                return new Ended(process.ExitCode, await output, await errors);
            }
            finally
            {
                process.Kill(entireProcessTree: !leaveChildren);
            }
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary>How a run ended.</summary>
internal sealed record Ended(int Code, string Output, string Errors);
