using System.ComponentModel;
using System.IO.Pipes;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>One started program, its three pipes and everything that descends from it.</summary>
internal sealed class ChildProcess : IDisposable
{
    private const int UnclearMax = 3;

    private static readonly TimeSpan SweepTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SweepPauseMax = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly Task<ExitStatus> _exited;
    private readonly ProcessTree _tree;
    private readonly AnonymousPipeClientStream _input;
    private readonly AnonymousPipeClientStream _output;
    private readonly AnonymousPipeClientStream _errors;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _killed;
    private readonly CancellationTokenSource _closing;

    private ChildProcess(CommandLine command, string token, TimeProvider time, CancellationToken killed)
    {
        using ChildPipe input = ChildPipe.ToChild(), output = ChildPipe.FromChild(), errors = ChildPipe.FromChild();
        (Pid, _exited) = ChildReaper.Instance.Start(command, input.ChildEnd, output.ChildEnd, errors.ChildEnd);
        _tree = new ProcessTree(Pid, token);
        _input = input.TakeStream();
        _output = output.TakeStream();
        _errors = errors.TakeStream();
        _time = time;
        _killed = CancellationTokenSource.CreateLinkedTokenSource(killed);
        _closing = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    public int Pid { get; }

    /// <param name="command">What to start.</param>
    /// <param name="token">What the descendants are known by; a value in the command's environment.</param>
    /// <param name="time">For the bounds on waiting.</param>
    /// <param name="killed">Fires when all of it is to end at once.</param>
    /// <exception cref="Win32Exception">It could not be started.</exception>
    public static ChildProcess Start(CommandLine command, string token, TimeProvider time, CancellationToken killed) => new(command, token, time, killed);

    /// <summary>Hands over the input and ends it. A child that does not read it is no fault.</summary>
    public Task WriteInputAsync(ReadOnlyMemory<byte> content) => TransferAsync(async closing =>
    {
        await using (_input.ConfigureAwait(false))
        {
            await _input.WriteAsync(content, closing).ConfigureAwait(false);
        }
    });

    /// <summary>Reads standard output to its end. More than the buffer takes kills the child.</summary>
    public Task ReadOutputAsync(OutputBuffer buffer) => TransferAsync(async closing =>
    {
        await buffer.FillAsync(_output, closing).ConfigureAwait(false);
        if (buffer.IsExceeded)
            await _killed.CancelAsync().ConfigureAwait(false);
    });

    /// <summary>Reads standard error to its end.</summary>
    public Task ReadErrorsAsync(StandardError errors) => TransferAsync(closing => errors.ReadAsync(_errors, closing));

    /// <summary>Reads standard output and standard error to their ends.</summary>
    /// <param name="read">Reads one of the two.</param>
    public Task ReadAllAsync(Func<Stream, CancellationToken, Task> read) =>
        Task.WhenAll(TransferAsync(closing => read(_output, closing)), TransferAsync(closing => read(_errors, closing)));

    /// <summary>
    /// Waits for the exit, sends SIGTERM when asked to stop and SIGKILL when killed. After the exit, what is left of the tree is killed.
    /// Returns at most 2 s after the exit or the kill.
    /// </summary>
    public async Task<ExitStatus> EndAsync(CancellationToken stopping)
    {
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, _killed.Token))
        {
            await WaitAsync(either.Token).ConfigureAwait(false);
        }

        if (!_exited.IsCompleted && !_killed.IsCancellationRequested)
            _tree.Signal(LibC.SigTerm);
        await WaitAsync(_killed.Token).ConfigureAwait(false);
        await SweepAsync().ConfigureAwait(false);
        return _exited.IsCompleted ? await _exited.ConfigureAwait(false) : ExitStatus.Unknown;
    }

    /// <summary>Waits for the pipes' ends, and gives up those that do not end within a second.</summary>
    public async Task CloseAsync(Task pipes)
    {
        _closing.CancelAfter(CloseTimeout);
        await pipes.ConfigureAwait(false);
    }

    /// <summary>Gives the pipes and the process id back. The pipes must not be in use.</summary>
    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
        _errors.Dispose();
        _killed.Dispose();
        _closing.Dispose();
        ChildReaper.Instance.Release(Pid);
    }

    private async Task WaitAsync(CancellationToken cancellation)
    {
        await ((Task)_exited).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // A cancellation goes on in the thread of the one who cancels, which is not to be held up by what follows.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
    }

    private async Task SweepAsync()
    {
        long start = _time.GetTimestamp();
        TimeSpan pause = TimeSpan.FromMilliseconds(1);
        for (int unclear = 0; _time.GetElapsedTime(start) < SweepTimeout;)
        {
            TreeState state = _tree.Signal(LibC.SigKill);
            unclear = state == TreeState.Unclear ? unclear + 1 : 0;
            if (_exited.IsCompleted && (state == TreeState.Gone || unclear == UnclearMax))
                return;
            await Task.Delay(pause, _time).ConfigureAwait(false);
            pause = pause * 2 < SweepPauseMax ? pause * 2 : SweepPauseMax;
        }
    }

    private async Task TransferAsync(Func<CancellationToken, Task> transfer)
    {
        try
        {
            await transfer(_closing.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
        }
        catch
        {
            // A child that waits on a pipe which nobody reads would never end.
            await _killed.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }
}
