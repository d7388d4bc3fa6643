using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of one program whose processes work for the pool.</summary>
internal static class WorkerProcessSettings
{
    private const int ProcessesMax = 1_000;

    private static readonly ValueRule<TimeSpan> UpToADay = Span(TimeSpan.Zero, TimeSpan.FromDays(1));

    public static SettingsTable<WorkerProcessOptions> Table { get; } = new()
    {
        { "Command", ProgramRules.Executable, o => o.Command, (o, v) => o.Command = v, "The program: a worker that the server starts and supervises." },
        new ListSetting<WorkerProcessOptions>("Arguments", o => o.Arguments, "Its arguments, handed over as they are: there is no shell."),
        new VariablesSetting<WorkerProcessOptions>("Environment", o => o.Environment, "Its environment, beside PATH and the GRPCPOOL_ variables."),
        { "WorkingDirectory", ProgramRules.Directory, o => o.WorkingDirectory, (o, v) => o.WorkingDirectory = v, "Its working directory.", "the root directory" },
        {
            "Minimum", Whole(0, ProcessesMax), o => o.Minimum, (o, v) => o.Minimum = v,
            "Processes that there are at least; with 0, one starts with the server, so that its kinds become known."
        },
        {
            "Maximum", Optional(Whole(1, ProcessesMax)), o => o.Maximum, (o, v) => o.Maximum = v,
            "Processes that there are at most: as many as what waits and runs has use for.", "Minimum, but at least 1"
        },
        { "MaxTasks", Optional(Whole(1, 1_000_000_000)), o => o.MaxTasks, (o, v) => o.MaxTasks = v, "After how many tasks a process retires and another takes its place." },
        { "IdleTimeout", UpToADay, o => o.IdleTimeout, (o, v) => o.IdleTimeout = v, "How long a process above Minimum may have nothing to do before it retires." },
        {
            "ConnectTimeout", Span(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)), o => o.ConnectTimeout, (o, v) => o.ConnectTimeout = v,
            "How long a process may be without a connection, at its start or later, before it counts as failed and is ended."
        },
        {
            "InitialBackoff", Span(TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1)), o => o.InitialBackoff, (o, v) => o.InitialBackoff = v,
            "The pause before a process that ended by itself is started again, doubled each time."
        },
        {
            "MaxBackoff", Span(TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1)), o => o.MaxBackoff, (o, v) => o.MaxBackoff = v,
            "The longest such pause; a process that has lived so long starts again at once."
        },
        { "DrainTimeout", UpToADay, o => o.DrainTimeout, (o, v) => o.DrainTimeout = v, "How long a process that retires may finish what it runs before it gets SIGTERM." },
        {
            "KillAfter", Span(TimeSpan.Zero, TimeSpan.FromHours(1)), o => o.KillAfter, (o, v) => o.KillAfter = v,
            "How long after SIGTERM it is killed, with all that it started (at the server's end at most 1 s), and how long one that has left the pool may take to exit before it gets SIGTERM."
        },
        CheckCounts,
        CheckBackoff,
    };

    private static void CheckCounts(WorkerProcessOptions options, string path, Violations violations)
    {
        if (options.Maximum < options.Minimum)
            violations.Across([$"{path}:Maximum", $"{path}:Minimum"], $"is \"{options.Maximum}\", less than {path}:Minimum ({options.Minimum}); raise it, or lower that.");
    }

    private static void CheckBackoff(WorkerProcessOptions options, string path, Violations violations)
    {
        if (options.MaxBackoff < options.InitialBackoff)
            violations.Across(
                [$"{path}:MaxBackoff", $"{path}:InitialBackoff"],
                $"is \"{options.MaxBackoff:c}\", less than {path}:InitialBackoff ({options.InitialBackoff:c}); raise it, or lower that.");
    }
}
