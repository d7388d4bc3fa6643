using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Cli.Watching;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool run</c></summary>
internal static class RunCommand
{
    private const string Description = """
        Run a task as if it were a program here: submit it, show its log and progress on standard error, write its result's bytes
        to standard output, and end as it ends: 0 succeeded, 3 failed, 4 cancelled, 5 expired.
        Ctrl-C cancels the task and waits for its end; a second Ctrl-C leaves at once (130).
        """;

    private const string Examples = """
        grpcpool run echo hello
        grpcpool run sleep '{"seconds": 1.5, "steps": 3}'
        echo hello | grpcpool run echo - --run-timeout 1m > result.txt
        """;

    public static Command Create()
    {
        var command = new ExemplifiedCommand("run", CommandGroups.Tasks, Description, Examples);
        SpecOptions.AddTo(command);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        TaskSpec spec = await SpecOptions.ReadAsync(result, interrupted).ConfigureAwait(false);
        SubmitResponse submitted = await client.Service.SubmitAsync(new SubmitRequest { Task = spec }, cancellationToken: interrupted).ConfigureAwait(false);
        TaskHandle handle = client.GetTask(submitted.Task.Id);
        TaskInfo end = await FollowAsync(handle, new TaskLog(client.Service, handle.Id), interrupted).ConfigureAwait(false);
        return await Ending.HandOverAsync(end, OutputOption.ReadGiven(result)).ConfigureAwait(false);
    }

    private static async Task<TaskInfo> FollowAsync(TaskHandle handle, TaskLog log, CancellationToken interrupted)
    {
        using var status = new StatusLine();
        using var leaving = new CancellationTokenSource();
        Task showing = Task.WhenAll(ShowProgressAsync(handle, status, leaving.Token), log.ReadAsync(follow: true, status.Write, leaving.Token));
        try
        {
            return await WaitAsync(handle, status, interrupted).ConfigureAwait(false);
        }
        catch
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            // How the task ended is what counts; it may be forgotten before all was shown.
            await showing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task<TaskInfo> WaitAsync(TaskHandle handle, StatusLine status, CancellationToken interrupted)
    {
        Task<TaskInfo> end = handle.WaitAsync(CancellationToken.None);
        try
        {
            return await end.WaitAsync(interrupted).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            status.WriteLine($"grpcpool: cancelling task {handle.Id}; Ctrl-C again leaves it to itself.");
            await handle.CancelAsync("interrupted", cancellationToken: CancellationToken.None).ConfigureAwait(false);
            return await end.ConfigureAwait(false);
        }
    }

    private static async Task ShowProgressAsync(TaskHandle handle, StatusLine status, CancellationToken leaving)
    {
        await foreach (TaskInfo task in handle.WatchAsync(cancellationToken: leaving).ConfigureAwait(false))
        {
            string bar = task is { State: TaskState.Running, Progress: { } report } ? $"{StatusLine.Bar(report.Fraction)} " : "";
            status.Show(task.State.IsFinal() ? "" : $"{Wording.NameOf(task.State)} {bar}{Wording.Line(Wording.Remark(task))}".TrimEnd());
        }
    }
}
