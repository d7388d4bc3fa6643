using System.ComponentModel;
using GrpcPool.Core.Handlers.Processes;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Handlers;

/// <summary>
/// Runs a child process per attempt: payload to standard input, standard output as the result. When an attempt ends, however it ends,
/// nothing of what it started is left. Exit code 0 succeeds, 75 fails retryably; any other code, and a signal, fails for good.
/// </summary>
internal sealed class CommandHandler : ITaskHandler
{
    private const int ExitTryAgain = 75;

    private readonly CommandOptions _options;
    private readonly CommandEnvironment _environment;
    private readonly int _outputBytesMax;
    private readonly TimeProvider _time;

    public CommandHandler(CommandOptions options, int resultBytesMax, TimeProvider time)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Command handlers run on Linux only.");
        if (!Path.IsPathFullyQualified(options.Command))
            throw new ArgumentException($"The command must be an absolute path, not '{options.Command}'.", nameof(options));
        _options = options;
        _environment = new CommandEnvironment(options.Environment);
        _outputBytesMax = options.OutputBytesMax ?? resultBytesMax;
        _time = time;

        // From here on orphans come to this process and are reaped, not only after the first command.
        _ = ChildReaper.Instance;
    }

    public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        stopping.ThrowIfCancellationRequested();
        ChildProcess child;
        try
        {
            child = Start(context);
        }
        catch (Win32Exception e)
        {
            return TaskOutcome.Failed(CannotStart(e));
        }

        using (child)
        {
            return await FollowAsync(child, context, stopping).ConfigureAwait(false);
        }
    }

    private ChildProcess Start(TaskContext context)
    {
        string token = CommandEnvironment.NewToken();
        var command = new CommandLine(_options.Command, _options.Arguments, _environment.For(context, token), _options.WorkingDirectory ?? "/");
        return ChildProcess.Start(command, token, _time, context.Killed);
    }

    private async Task<TaskOutcome> FollowAsync(ChildProcess child, TaskContext context, CancellationToken stopping)
    {
        var output = new OutputBuffer(_outputBytesMax);
        var errors = new StandardError(context);

        Task pipes = Task.WhenAll(
            child.WriteInputAsync(context.Payload),
            child.ReadOutputAsync(output),
            child.ReadErrorsAsync(errors));
        ExitStatus exit = await child.EndAsync(stopping).ConfigureAwait(false);
        await child.CloseAsync(pipes).ConfigureAwait(false);

        return Outcome(exit, output, errors);
    }

    private TaskOutcome Outcome(ExitStatus exit, OutputBuffer output, StandardError errors)
    {
        if (output.IsExceeded)
        {
            string excess = $"standard output is larger than {_outputBytesMax} bytes";
            return TaskOutcome.Failed(new Failure(FailureCode.ResultTooLarge, excess, retryable: false, errors.Tail));
        }

        if (exit.Code == 0)
            return TaskOutcome.Succeeded(output.Content, _options.ContentType);

        if (exit == ExitStatus.Unknown)
            return TaskOutcome.Failed(new Failure(FailureCode.Internal, $"{_options.Command}: {exit}", retryable: true, errors.Tail));

        string message = errors.LastLines is { Length: > 0 } lines ? lines : exit.ToString();
        return TaskOutcome.Failed(new Failure(FailureCode.HandlerError, message, retryable: exit.Code == ExitTryAgain, errors.Tail));
    }

    private Failure CannotStart(Win32Exception e)
    {
        string directory = _options.WorkingDirectory ?? "/";
        if (!Directory.Exists(directory))
            return new Failure(FailureCode.HandlerError, $"cannot start {_options.Command}: no working directory {directory}", retryable: false);

        bool exhausted = LibC.IsExhausted(e.NativeErrorCode);
        return new Failure(exhausted ? FailureCode.Internal : FailureCode.HandlerError, $"cannot start {_options.Command}: {e.Message}", retryable: exhausted);
    }
}
