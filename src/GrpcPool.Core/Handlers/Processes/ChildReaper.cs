namespace GrpcPool.Core.Handlers.Processes;

/// <summary>
/// Knows the children that were started here, sees them exit, and reaps them and the orphans among their descendants, which come to this process.
/// Children of the application around it, which live in its own session, are left to it. Safe for concurrent use.
/// </summary>
internal sealed class ChildReaper
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, Child> _children = [];
    private readonly int _ownSession = LibC.GetSession(0);
    private readonly ExitWatch _watch;

    private ChildReaper()
    {
        _ = LibC.Control(LibC.SetChildSubreaper, 1, 0, 0, 0);
        _watch = new ExitWatch(Collect);
    }

    public static ChildReaper Instance { get; } = new();

    /// <summary>Starts a program. Its process id stays taken, also after its exit, until it is released.</summary>
    public (int Pid, Task<ExitStatus> Exited) Start(CommandLine command, int input, int output, int errors)
    {
        // Under the lock, a child that exits at once is known before its exit is looked at, and is nobody's orphan.
        lock (_lock)
        {
            int pid = Spawner.Spawn(command, input, output, errors);
            var child = new Child();
            _children.Add(pid, child);
            _watch.Started();
            return (pid, child.Exited.Task);
        }
    }

    /// <summary>Whether the process is a child that was started here and not yet released.</summary>
    public bool Owns(int pid)
    {
        lock (_lock)
        {
            return _children.ContainsKey(pid);
        }
    }

    /// <summary>Reaps the child, as soon as it has exited.</summary>
    public void Release(int pid)
    {
        lock (_lock)
        {
            _children[pid].IsReleased = true;
            Observe_NeedsLock(pid, _children[pid]);
            ReapOrphans_NeedsLock();
        }
    }

    /// <summary>Reaps a process that was found to have ended as an orphan here; not one of the application around.</summary>
    public bool ReapOrphan(int pid)
    {
        lock (_lock)
        {
            return TryReapOrphan_NeedsLock(pid);
        }
    }

    private void Collect()
    {
        lock (_lock)
        {
            foreach ((int pid, Child child) in _children)
                Observe_NeedsLock(pid, child);
            ReapOrphans_NeedsLock();
        }
    }

    private void Observe_NeedsLock(int pid, Child child)
    {
        if (!child.Exited.Task.IsCompleted && TryPeek(pid, out ExitStatus status))
            child.Exited.SetResult(status);
        if (!child.Exited.Task.IsCompleted || !child.IsReleased)
            return;
        Reap(pid);
        _children.Remove(pid);
    }

    // Looks at the first that has exited only. One that may not be touched hides those behind it until it is gone; a sweep finds them too.
    private void ReapOrphans_NeedsLock()
    {
        const int Options = LibC.WaitExited | LibC.WaitNoHang | LibC.WaitNoReap;
        while (LibC.WaitId(LibC.WaitForAny, 0, out LibC.WaitInfo info, Options) == 0 && info.Pid != 0 && TryReapOrphan_NeedsLock(info.Pid))
        {
        }
    }

    private bool TryReapOrphan_NeedsLock(int pid)
    {
        if (_children.ContainsKey(pid) || LibC.GetSession(pid) == _ownSession)
            return false;
        Reap(pid);
        return true;
    }

    private static bool TryPeek(int pid, out ExitStatus status)
    {
        const int Options = LibC.WaitExited | LibC.WaitNoHang | LibC.WaitNoReap;
        bool lost = LibC.WaitId(LibC.WaitForOne, pid, out LibC.WaitInfo info, Options) != 0;
        status = lost ? ExitStatus.Unknown
            : info.Code == LibC.WaitInfo.CodeExited ? new ExitStatus(info.Status, null)
            : new ExitStatus(null, info.Status);
        return lost || info.Pid == pid;
    }

    private static void Reap(int pid) => _ = LibC.WaitId(LibC.WaitForOne, pid, out _, LibC.WaitExited | LibC.WaitNoHang);

    private sealed class Child
    {
        public TaskCompletionSource<ExitStatus> Exited { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsReleased { get; set; }
    }
}
