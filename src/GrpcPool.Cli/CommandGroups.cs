namespace GrpcPool.Cli;

/// <summary>The headings under which the help lists the commands.</summary>
internal static class CommandGroups
{
    public const string Pool = "Run a pool";
    public const string Tasks = "Give it tasks";
    public const string Watching = "See how they fare";
    public const string Changing = "Change them";
    public const string Operating = "Look after the pool";
    public const string Schedules = "Have it work on a timetable";
    public const string Store = "Keep its tasks safe";
    public const string Shell = "For your shell";
}
