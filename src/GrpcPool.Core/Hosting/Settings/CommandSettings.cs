using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of one kind that a command runs.</summary>
internal static class CommandSettings
{
    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const int OutputBytesMax = 1_073_741_824;
    private const int ContentTypeMax = 255;

    public static SettingsTable<CommandOptions> Table { get; } = new()
    {
        new FixedSetting<CommandOptions>("Type", "command", "The type of handler."),
        { "Command", Text("the absolute path of an executable file", IsExecutable), o => o.Command, (o, v) => o.Command = v, "The program." },
        new ListSetting<CommandOptions>("Arguments", o => o.Arguments, "Its arguments, handed over as they are: there is no shell."),
        new VariablesSetting<CommandOptions>("Environment", o => o.Environment, "Its environment, beside PATH and the GRPCPOOL_ variables."),
        {
            "WorkingDirectory", OptionalText("the absolute path of a directory that exists", IsDirectory),
            o => o.WorkingDirectory, (o, v) => o.WorkingDirectory = v,
            "Its working directory.", "the root directory"
        },
        {
            "ContentType", Text("a media type of at most 255 characters", IsContentType), o => o.ContentType, (o, v) => o.ContentType = v,
            "The media type of the result."
        },
        { HandlerSettings.Table, o => o },
        {
            "OutputBytesMax", Optional(Whole(1, OutputBytesMax)), o => o.OutputBytesMax, (o, v) => o.OutputBytesMax = v,
            "The largest standard output; more fails the task.", "Limits:ResultBytesMax"
        },
    };

    private static bool IsExecutable(string path) =>
        Path.IsPathFullyQualified(path) && File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & AnyExecute) != 0);

    private static bool IsDirectory(string path) => Path.IsPathFullyQualified(path) && Directory.Exists(path);

    private static bool IsContentType(string text) => text.Length <= ContentTypeMax && text.All(c => c is >= ' ' and <= '~');
}
