using System.CommandLine;
using System.CommandLine.Parsing;
using GrpcPool.Cli.Commands;
using GrpcPool.Cli.Commands.Demo;
using GrpcPool.Cli.Commands.Schedules;
using GrpcPool.Core.Hosting.Settings;

namespace GrpcPool.Cli;

/// <summary>The command line as a whole.</summary>
internal static class CommandLine
{
    private const string Description = """
        GrpcPool runs tasks: clients submit them over gRPC, the pool queues them, runs them within its slots, and tells everybody how they fare.

        Exit codes: 0 ended as asked, 1 fault, 2 wrong usage, 69 server unreachable, 75 try again (queue full), 78 bad settings, 130 interrupted;
        of a task that was waited for: 0 succeeded, 3 failed, 4 cancelled, 5 expired, 6 not finished in time.
        """;

    private const string Examples = """
        grpcpool demo                                see a pool at work
        grpcpool serve --set Pool:Slots=8            run a server on this machine, with a setting of your own
        grpcpool run sleep '{"seconds": 2}'          run a task on it, and wait for its end
        grpcpool submit echo hello --id order-7      submit a task
        grpcpool status order-7                      see what became of it
        grpcpool count --by state                    count all
        """;

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        ParseResult result = Build().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors.Count > 0)
            return Refuse(result);

        try
        {
            // The host itself ends on SIGTERM, when it has drained; no other command needs to clean up.
            var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await result.InvokeAsync(invocation).ConfigureAwait(false);
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync($"grpcpool: {e.Message}").ConfigureAwait(false);
            return ExitCodes.Settings;
        }
    }

    private static RootCommand Build()
    {
        var root = new RootCommand(Description)
        {
            ServeCommand.Create(),
            ConfigCommand.Create(),
            TokenCommand.Create(),
            HealthCommand.Create(),
            DemoCommand.Create(),
            SubmitCommand.Create(),
            RunCommand.Create(),
            BulkCommand.Create(),
            StatusCommand.Create(),
            WatchCommand.Create(),
            WaitCommand.Create(),
            ListCommand.Create(),
            CountCommand.Create(),
            LogCommand.Create(),
            CancelCommand.Create(),
            RetryCommand.Create(),
            DeleteCommand.Create(),
            PoolCommand.Create(),
            TopCommand.Create(),
            QueueCommand.Create(),
            PurgeCommand.Create(),
            WorkersCommand.Create(),
            ResizeCommand.Create(),
            DrainCommand.Create(),
            ScheduleCommand.Create(),
            BackupCommand.Create(),
            CheckCommand.Create(),
            RestoreCommand.Create(),
            CompletionCommand.Create(),
        };
        CommandHelp help = new CommandHelp(Examples).AddTo(root);
        root.SetAction(result =>
        {
            help.Invoke(result);
            return ExitCodes.Usage;
        });
        return root;
    }

    private static int Refuse(ParseResult result)
    {
        foreach (ParseError error in result.Errors)
            Console.Error.WriteLine($"grpcpool: {error.Message}");

        Command command = result.CommandResult.Command;
        IEnumerable<string> names = command.Parents.OfType<Command>().Where(static parent => parent is not RootCommand).Select(static parent => parent.Name).Append(command.Name);
        Console.Error.WriteLine(command is RootCommand ? "Try 'grpcpool --help'." : $"Try 'grpcpool {string.Join(' ', names)} --help'.");
        return ExitCodes.Usage;
    }
}
