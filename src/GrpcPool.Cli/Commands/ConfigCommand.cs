using System.CommandLine;
using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Server.Hosting;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool config</c></summary>
internal static class ConfigCommand
{
    private const string Description =
        "Check the settings and print those in force, as JSON that can serve as a file of settings; only secrets are masked.";

    private const string Examples = """
        grpcpool config
        grpcpool config --config /etc/grpcpool.json --set Pool:Slots=8
        grpcpool config > settings.json
        grpcpool config --reference
        """;

    public static Command Create()
    {
        var command = new ExemplifiedCommand("config", CommandGroups.Pool, Description, Examples);
        var reference = new Option<bool>("--reference") { Description = "List all settings with their ranges and defaults instead, as a table in Markdown." };
        command.Add(reference);
        var input = SettingsInput.AddTo(command);
        command.SetAction(result => Console.Out.WriteLine(
            result.GetValue(reference)
                ? SettingsText.ToMarkdown(ServerSettings.Table)
                : SettingsText.ToJson(ServerSettings.Table, input.Load(result))));
        return command;
    }
}
