using System.Diagnostics;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Cli.Tests;

/// <summary>Every example in the help of a client command runs.</summary>
public sealed class ExampleTests(Pool pool)
{
    private const int Timeout = 240_000;

    /// <summary>The commands that ask a server, and those that help with it.</summary>
    public static readonly string[] Commands =
        ["submit", "run", "bulk", "status", "watch", "wait", "list", "count", "log", "cancel", "retry", "delete", "completion", "pool", "top", "queue", "purge", "resize"];

    private static readonly string[] Makers = ["submit", "run", "bulk"];

    private static readonly string[] Schedules =
        ["schedule", .. ((string[])["create", "list", "show", "update", "pause", "resume", "trigger", "delete", "upcoming"]).Select(static command => $"schedule {command}")];

    public static TheoryData<string> Names => [.. Commands, .. Schedules];

    [Theory(Timeout = Timeout)]
    [MemberData(nameof(Names))]
    public async Task Examples_run(string command)
    {
        using var session = new Session(pool, $"examples-{command.Replace(' ', '-')}");
        await PrepareFilesAsync(session);
        if (Schedules.Contains(command))
            await session.RunAsync("schedule", "create", "daily", "echo", "--cron", "@daily");
        else if (!Makers.Contains(command))
            await PrepareTasksAsync(session, command is "retry" or "delete" ? "fail" : "echo");
        Ended help = await session.RunAsync([.. command.Split(' '), "--help"]);

        foreach (string line in help.Output.Split("Examples:\n")[1].Trim().Split('\n').Select(static line => line.Trim()))
        {
            Ended ended = await RunAsync(session, line);
            Assert.Equal((line, 0, ""), (line, ended.Code, ended.Code == 0 ? "" : ended.Errors));
        }
    }

    private static async Task<Ended> RunAsync(Session session, string line)
    {
        Process process = session.StartLine(line);
        bool isEndless = line.StartsWith("grpcpool watch", StringComparison.Ordinal) && !line.Contains("order", StringComparison.Ordinal);
        if (!isEndless)
            return await Executable.EndAsync(process);

        await Session.ReadUntilAsync(process.StandardOutput, "waiting");
        Session.InterruptIt(process);
        Ended ended = await Executable.EndAsync(process);
        Assert.Equal(130, ended.Code);
        return ended with { Code = 0 };
    }

    private static async Task PrepareFilesAsync(Session session)
    {
        foreach (string folder in (string[])[".local/share/bash-completion/completions", ".config/fish/completions", ".zfunc"])
            Directory.CreateDirectory(Path.Combine(session.WorkingFolder, folder));
        await session.WriteFileAsync("report.json", "{}");
        await session.WriteFileAsync("tasks.jsonl", """{"kind": "echo", "id": "from-a-file"}""");
    }

    private static async Task PrepareTasksAsync(Session session, string kind)
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        var waiting = new TaskSpec { Kind = "echo", Id = "waiting", Queue = "mail", Labels = { ["team"] = "blue" }, Delay = Duration.FromTimeSpan(TimeSpan.FromHours(1)) };
        await session.Client.SubmitAsync(waiting, stop);
        foreach (string id in (string[])["order-7", "order-8"])
            await (await session.Client.SubmitAsync(new TaskSpec { Kind = kind, Id = id }, stop)).WaitAsync(stop);
    }
}
