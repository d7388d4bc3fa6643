using System.CommandLine;
using GrpcPool.Cli.Input;
using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Server.Hosting;

namespace GrpcPool.Cli;

/// <summary>The options with which a command takes settings.</summary>
internal sealed class SettingsInput
{
    private readonly Option<string> _file = new("--config")
    {
        Description = $"The file of settings. By default {SettingsSources.DefaultFile} in the working directory, if there.",
        HelpName = "file",
    };

    private readonly Option<KeyValuePair<string, string>[]> _overrides = Pairs.Option(
        "--set",
        "Pool:Slots=8",
        "A setting, such as Pool:Slots=8; may be repeated. It wins over the environment " +
            $"({SettingsSources.EnvironmentPrefix}POOL__SLOTS=8), which wins over the file.");

    /// <summary>Adds the options to a command.</summary>
    public static SettingsInput AddTo(Command command)
    {
        var input = new SettingsInput();
        command.Add(input._file);
        command.Add(input._overrides);
        return input;
    }

    /// <summary>Reads and checks the settings from all sources.</summary>
    /// <exception cref="SettingsException">They cannot be used.</exception>
    public ServerSettings Load(ParseResult result)
    {
        IEnumerable<KeyValuePair<string, string?>> overrides = result.GetValue(_overrides)!.Select(static pair => KeyValuePair.Create(pair.Key, (string?)pair.Value));
        return ServerSettings.Load(
            SettingsSources.Read(result.GetValue(_file), Directory.GetCurrentDirectory(), Environment.GetEnvironmentVariables(), overrides));
    }
}
