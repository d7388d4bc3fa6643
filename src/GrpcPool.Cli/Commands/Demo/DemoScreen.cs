using GrpcPool.Cli.Output;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>What stands at the top of the demo's screen.</summary>
internal static class DemoScreen
{
    /// <summary>Says what is to be seen.</summary>
    public static void Introduce(DemoServer server, DemoBoard board, DemoPrograms programs)
    {
        string queues = Wording.Count(DemoSettings.Limits.Count, "queue");
        Console.Out.WriteLine($"A pool of {DemoSettings.Slots} slots at {server.Address} gets {Wording.Count(board.Tasks.Count, "task")} in {queues}.");
        string[] missing = [.. programs.Missing];
        if (missing.Length > 0)
            Console.Out.WriteLine($"Not on this machine: {string.Join(", ", missing)}. Built-in kinds of tasks (echo, sleep) take their place.");
        Console.Out.WriteLine();
    }
}
