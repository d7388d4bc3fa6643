namespace GrpcPool.Cli.Commands.Demo;

/// <summary>Shows the board while the demo runs.</summary>
internal interface IDemoView
{
    /// <summary>Runs the demo and shows it.</summary>
    /// <param name="board">What to show.</param>
    /// <param name="run">Runs it, and calls its argument to have the board shown.</param>
    Task ShowAsync(DemoBoard board, Func<Action, Task> run);
}
