using GrpcPool.Cli.Output;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>One line per change of a task's state, for files and simple terminals.</summary>
internal sealed class PlainView : IDemoView
{
    private int _shown;

    public async Task ShowAsync(DemoBoard board, Func<Action, Task> run)
    {
        await run(() => PrintNew(board)).ConfigureAwait(false);
        PrintNew(board);
        Console.Out.WriteLine();
    }

    private void PrintNew(DemoBoard board)
    {
        for (; _shown < board.Changes.Count; _shown++)
        {
            (TimeSpan at, V1.TaskInfo task) = board.Changes[_shown];
            Console.Out.WriteLine($"{Wording.Seconds(at),7}  {task.Queue,-8} {task.Id,-18} {Wording.Of(task.State),-10} {Wording.Remark(task)}".TrimEnd());
        }
    }
}
