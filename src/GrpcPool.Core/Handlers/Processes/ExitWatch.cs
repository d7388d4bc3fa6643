using System.Runtime.InteropServices;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>
/// Tells when children may have exited. As process 1, the runtime would reap every child at its signal, before its exit code can be read; there, the signal
/// is kept from it, a thread waits instead, and the runtime is told only of children of the application around, which live in its own session.
/// </summary>
internal sealed class ExitWatch
{
    private static readonly TimeSpan IdlePause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(1);

    private readonly Action _mayHaveExited;
    private readonly object _pauseLock = new();
    private readonly nint _runtimeHandler;
    private bool _isStarted;
#pragma warning disable IDE0052 // Held, since the registration ends when it is collected.
    private readonly PosixSignalRegistration _registration;
#pragma warning restore IDE0052

    public ExitWatch(Action mayHaveExited)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException();
        _mayHaveExited = mayHaveExited;
        _registration = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => mayHaveExited());
        if (Environment.ProcessId != 1)
            return;
        _runtimeHandler = LibC.SetHandler(LibC.SigChild, LibC.DefaultHandler);
        new Thread(WatchAsInit) { IsBackground = true, Name = "GrpcPool children" }.Start();
    }

    /// <summary>To be called when a child was started.</summary>
    public void Started()
    {
        lock (_pauseLock)
        {
            _isStarted = true;
            Monitor.Pulse(_pauseLock);
        }
    }

    private void WatchAsInit()
    {
        while (true)
        {
            bool isExited = LibC.WaitId(LibC.WaitForAny, 0, out LibC.WaitInfo info, LibC.WaitExited | LibC.WaitNoReap) == 0;
            if (isExited)
            {
                _mayHaveExited();
                if (LibC.GetSession(info.Pid) == LibC.GetSession(0))
                    TellRuntime();
            }

            // One that has exited may stay for a while, until what it left is swept.
            Pause(isExited ? BusyPause : IdlePause);
        }
    }

    private void Pause(TimeSpan atMost)
    {
        lock (_pauseLock)
        {
            if (!_isStarted)
                Monitor.Wait(_pauseLock, atMost);
            _isStarted = false;
        }
    }

    private unsafe void TellRuntime() => ((delegate* unmanaged<int, nint, nint, void>)_runtimeHandler)(LibC.SigChild, 0, 0);
}
