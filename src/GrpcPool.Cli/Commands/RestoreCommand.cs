using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Server.Hosting;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool restore</c></summary>
internal static class RestoreCommand
{
    private const string Description = """
        Make the database of the settings from a backup. There must be none yet, and no server may run on it. What ran when the backup was made runs again, and
        watchers begin anew. Exit codes: 0 restored, 1 not restored and nothing changed, 2 wrong usage, 78 bad settings.
        """;

    private const string Examples = """
        grpcpool restore monday.db
        grpcpool restore monday.db --set Storage:Path=/var/lib/grpcpool/grpcpool.db
        """;

    private static readonly Argument<string> FileName = new("file") { Description = "The backup." };

    public static Command Create()
    {
        var command = new ExemplifiedCommand("restore", CommandGroups.Store, Description, Examples) { FileName };
        var input = SettingsInput.AddTo(command);
        command.SetAction(result => Fault.Guard(() => Run(result, input)));
        return command;
    }

    private static int Run(ParseResult result, SettingsInput input)
    {
        var options = input.Load(result).Pool;
        long size = StoreFile.Restore(options, result.GetValue(FileName)!);
        Console.Out.WriteLine($"{Path.GetFullPath(options.Storage.Path)}: {Wording.Count(size, "byte")}");
        return ExitCodes.Ended;
    }
}
