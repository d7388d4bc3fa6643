using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of one kind that a command runs.</summary>
internal static class CommandSettings
{
    private const int OutputBytesMax = 1_073_741_824;
    private const int ContentTypeMax = 255;

    public static SettingsTable<CommandOptions> Table { get; } = new()
    {
        new FixedSetting<CommandOptions>("Type", "command", "The type of handler."),
        { "Command", ProgramRules.Executable, o => o.Command, (o, v) => o.Command = v, "The program." },
        new ListSetting<CommandOptions>("Arguments", o => o.Arguments, "Its arguments, handed over as they are: there is no shell."),
        new VariablesSetting<CommandOptions>("Environment", o => o.Environment, "Its environment, beside PATH and the GRPCPOOL_ variables."),
        { "WorkingDirectory", ProgramRules.Directory, o => o.WorkingDirectory, (o, v) => o.WorkingDirectory = v, "Its working directory.", "the root directory" },
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

    private static bool IsContentType(string text) => text.Length <= ContentTypeMax && text.All(c => c is >= ' ' and <= '~');
}
