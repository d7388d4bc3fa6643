using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using GrpcPool.Cli.Tests.Infrastructure;

namespace GrpcPool.Cli.Tests;

/// <summary>What the front door says is so.</summary>
public sealed partial class ReadmeTests(Pool pool)
{
    private const int TimeoutMs = 120_000;

    [Fact(Timeout = TimeoutMs)]
    public async Task The_table_of_settings_is_the_one_that_the_executable_prints()
    {
        Ended reference = await Executable.RunOnceAsync("config", "--reference");
        Assert.Contains($"{reference.Output.Trim()}\n<!-- /settings -->", Readme(), StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Every_command_that_is_shown_exists()
    {
        string[] commands = [.. Commands().Matches(Readme()).Select(static match => match.Groups[1].Value)];
        Assert.Contains("demo", commands);
        foreach (string command in commands)
            Assert.Equal(0, (await Executable.RunOnceAsync(command, "--help")).Code);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_lines_of_the_command_line_run()
    {
        using var session = new Session(pool);
        string[] lines = ClientLines().Match(Readme()).Groups[1].Value.Trim().Split('\n');
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            Ended ended = await Executable.EndAsync(session.StartLine(line));
            Assert.Equal((line, 0, ""), (line, ended.Code, ended.Code == 0 ? "" : ended.Errors));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task The_settings_that_are_shown_are_valid()
    {
        using var executable = new Executable();
        await File.WriteAllTextAsync(Path.Combine(executable.WorkingFolder, "grpcpool.json"), Json().Match(Readme()).Groups[1].Value, TestContext.Current.CancellationToken);
        Ended shown = await executable.RunAsync("config");
        Assert.Equal((0, ""), (shown.Code, shown.Errors));
        Assert.Contains("\"checksum\"", shown.Output, StringComparison.Ordinal);
    }

    private static string Readme([CallerFilePath] string here = "") => File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "../../README.md"));

    [GeneratedRegex(@"^(?:dotnet run --project src/GrpcPool\.Cli -c Release -- |grpcpool )(\w+)", RegexOptions.Multiline)]
    private static partial Regex Commands();

    [GeneratedRegex(@"## Command line\n.*?```console\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ClientLines();

    [GeneratedRegex(@"```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Json();
}
