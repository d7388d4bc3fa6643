using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Core.Storage;
using GrpcPool.Server.Hosting;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool check</c></summary>
internal static class CheckCommand
{
    private const string Description = """
        Look for damage in every page and row of a database: that of the settings, which a server may use meanwhile, or a backup. Changes nothing.
        Exit codes: 0 no damage, 1 damaged or unreadable, 78 bad settings.
        """;

    private const string Examples = """
        grpcpool check
        grpcpool check monday.db
        grpcpool check --config /etc/grpcpool.json
        """;

    private static readonly Argument<string?> FileName = new("file") { Description = "Another file than that of the settings.", Arity = ArgumentArity.ZeroOrOne };

    public static Command Create()
    {
        var command = new ExemplifiedCommand("check", CommandGroups.Store, Description, Examples) { FileName };
        var input = SettingsInput.AddTo(command);
        command.SetAction(result => Fault.Guard(() => Run(result, input)));
        return command;
    }

    private static int Run(ParseResult result, SettingsInput input)
    {
        (IReadOnlyList<string> damage, long tasks) = StoreFile.Check(input.Load(result).Pool, result.GetValue(FileName));
        foreach (string found in damage)
            Console.Out.WriteLine(found);
        if (damage.Count > 0)
            throw new StorageException(StorageFault.Corrupt, "It is damaged: keep it as it is, and restore a backup");
        Console.Out.WriteLine($"No damage in {Wording.Count(tasks, "task")}.");
        return ExitCodes.Ended;
    }
}
