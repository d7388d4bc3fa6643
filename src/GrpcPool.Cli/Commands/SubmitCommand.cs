using System.CommandLine;
using System.CommandLine.Parsing;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Cli.Watching;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool submit</c></summary>
internal static class SubmitCommand
{
    private const string Description = """
        Submit a task and print it. It is accepted when the command ends; it may run already.
        With --wait the command ends with the task: it writes the result's bytes to standard output (or the task, with --output), and its
        exit code is 0 succeeded, 3 failed, 4 cancelled, 5 expired, 6 not finished in time. Ctrl-C (130) leaves the task to itself.
        Other exit codes: 1 fault, 2 wrong usage, 69 server unreachable, 75 try again (queue full).
        """;

    private const string Examples = """
        grpcpool submit echo hello
        grpcpool submit sleep '{"seconds": 1.5, "steps": 3}' --watch
        grpcpool submit echo hello --wait --timeout 30s > result.txt
        grpcpool submit echo --payload-file report.json --content-type application/json
        echo hello | grpcpool submit echo - --id order-7 --queue mail --label team=blue
        grpcpool submit echo later --delay 10m --max-attempts 5 --output id
        """;

    private static readonly Option<bool> Wait = new("--wait") { Description = "Wait for the end, and write the result to standard output." };
    private static readonly Option<bool> Watch = new("--watch") { Description = "Follow the task to its end; the exit code is that of --wait." };
    private static readonly Option<Duration?> Timeout = Spans.Option("--timeout", "With --wait: how long to wait. The task goes on.");

    public static Command Create()
    {
        var command = new ExemplifiedCommand("submit", CommandGroups.Tasks, Description, Examples) { Wait, Watch, Timeout };
        SpecOptions.AddTo(command);
        command.Validators.Add(Check);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        TaskSpec spec = await SpecOptions.ReadAsync(result, interrupted).ConfigureAwait(false);
        TaskInfo task = (await client.Service.SubmitAsync(new SubmitRequest { Task = spec }, cancellationToken: interrupted).ConfigureAwait(false)).Task;
        if (result.GetValue(Wait))
        {
            task = await Waiting.ForEndAsync(client.GetTask(task.Id), result.GetValue(Timeout), interrupted).ConfigureAwait(false);
            return await Ending.HandOverAsync(task, OutputOption.ReadGiven(result)).ConfigureAwait(false);
        }

        if (!result.GetValue(Watch))
        {
            TaskOutput.Write(OutputOption.Read(result), task);
            return ExitCodes.Ended;
        }

        TaskInfo last = await TaskFeed.ShowAsync(OutputOption.Read(result), TaskFeed.Of(client.GetTask(task.Id), interrupted)).ConfigureAwait(false) ?? task;
        Ending.Complain(last);
        return Ending.CodeOf(last);
    }

    private static void Check(CommandResult result)
    {
        if (result.GetValue(Wait) && result.GetValue(Watch))
            result.AddError("Give --wait or --watch, not both.");
        if (!result.GetValue(Wait) && result.GetResult(Timeout) is not null)
            result.AddError("--timeout needs --wait.");
    }
}
