using System.CommandLine;

namespace GrpcPool.Cli.Input;

/// <summary>The option to change nothing of what matches a filter.</summary>
internal static class DryRun
{
    public static Option<bool> Option { get; } = new("--dry-run") { Description = "With options that choose tasks: only count them." };

    /// <summary>Adds the option to a command that takes a <see cref="TaskSelection"/>.</summary>
    public static void AddTo(Command command)
    {
        command.Add(Option);
        command.Validators.Add(static result =>
        {
            if (result.GetValue(Option) && !FilterOptions.AreGiven(result))
                result.AddError("--dry-run counts what options such as --queue or --state choose; it goes with no ids.");
        });
    }
}
