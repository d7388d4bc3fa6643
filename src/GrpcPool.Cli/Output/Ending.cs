using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Output;

/// <summary>How a task that somebody waited for ended.</summary>
internal static class Ending
{
    public static int CodeOf(TaskInfo task) => task.State switch
    {
        TaskState.Succeeded => ExitCodes.Ended,
        TaskState.Failed => ExitCodes.TaskFailed,
        TaskState.Cancelled => ExitCodes.TaskCancelled,
        TaskState.Expired => ExitCodes.TaskExpired,
        _ => ExitCodes.TaskUnfinished,
    };

    /// <summary>Hands over the result alone, or the task in the format that was asked for, and says on standard error why there is no result.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> HandOverAsync(TaskInfo task, OutputFormat? format)
    {
        if (format is { } asked)
            TaskOutput.Write(asked, task);
        else if (task.State == TaskState.Succeeded)
            await WriteResultAsync(task).ConfigureAwait(false);
        Complain(task);
        return CodeOf(task);
    }

    public static async Task WriteResultAsync(TaskInfo task)
    {
        Stream output = StandardOutput.Open();
        await using (output.ConfigureAwait(false))
        {
            await output.WriteAsync(task.Result.Memory).ConfigureAwait(false);

            // On a terminal the shell's next line begins at its left.
            if (!Console.IsOutputRedirected && task.Result is { IsEmpty: false } result && result[^1] != '\n')
                await output.WriteAsync("\n"u8.ToArray()).ConfigureAwait(false);
        }
    }

    /// <summary>Says that, and why, a task has not succeeded.</summary>
    public static void Complain(TaskInfo task)
    {
        if (task.State != TaskState.Succeeded)
            Console.Error.WriteLine($"grpcpool: {Wording.Line(Describe(task))}");
    }

    private static string Describe(TaskInfo task) => task.State.IsFinal()
        ? $"task {task.Id} ended {Wording.Of(task.State)}: {Wording.Remark(task)}".TrimEnd(':', ' ')
        : $"task {task.Id} has not ended in time; it is {Wording.Of(task.State)}, and goes on.";
}
