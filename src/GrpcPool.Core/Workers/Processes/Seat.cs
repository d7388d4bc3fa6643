using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>How far the process of a seat has come.</summary>
internal enum SeatPhase
{
    /// <summary>There is none.</summary>
    Vacant,

    /// <summary>It works, or is about to.</summary>
    Serving,

    /// <summary>It was told to finish and leave.</summary>
    Draining,

    /// <summary>It was sent SIGTERM.</summary>
    Terminating,

    /// <summary>It was sent SIGKILL.</summary>
    Killing,
}

/// <summary>The place of one process at a time, with what is known of those before. Belongs to its crew, which is its only caller.</summary>
/// <param name="options">The settings of its processes.</param>
/// <param name="time">The clock.</param>
internal sealed class Seat(WorkerProcessOptions options, TimeProvider time)
{
    private IWorkerProcess? _process;
    private TimeSpan _pause;
    private long _since;
    private long _startedAt;
    private long _busyAt;
    private long _seenAt;
    private bool _failed;

    public SeatPhase Phase { get; private set; }

    /// <summary>How often in a row a process has ended by itself before it had lived long.</summary>
    public int Failures { get; private set; }

    /// <summary>What its process does; null while it is not connected.</summary>
    public WorkerLoad? Load { get; private set; }

    public IWorkerProcess? Process => _process;

    public bool IsServing => Phase == SeatPhase.Serving;

    /// <summary>Whether its next process has to wait.</summary>
    public bool IsPausing => Phase == SeatPhase.Vacant && time.GetElapsedTime(_since) < _pause;

    public bool MayStart => Phase == SeatPhase.Vacant && !IsPausing;

    /// <summary>How long its process has had nothing to do.</summary>
    public TimeSpan Idle => time.GetElapsedTime(_busyAt);

    /// <summary>Whether its process has been without a connection for too long: it does not come, or hangs.</summary>
    public bool IsAbsent => IsServing && Load is null && time.GetElapsedTime(_seenAt) >= options.ConnectTimeout;

    public bool HasDoneItsTasks => Load?.Ended >= options.MaxTasks;

    public void Occupy(IWorkerProcess process)
    {
        _process = process;
        _startedAt = _busyAt = _seenAt = time.GetTimestamp();
        (Load, _failed) = (null, false);
        Enter(SeatPhase.Serving);
    }

    /// <summary>A process could not be started, or has ended by itself: the next one waits. Answers how long.</summary>
    public TimeSpan Fail(bool lived)
    {
        Failures = lived ? 0 : Failures + 1;
        double factor = lived ? 0 : Math.Pow(2, Math.Min(Failures, 32) - 1);
        _pause = options.InitialBackoff * factor is var pause && pause < options.MaxBackoff ? pause : options.MaxBackoff;
        Enter(SeatPhase.Vacant);
        return _pause;
    }

    /// <summary>Takes the process out if it has ended. Answers how, and for how long the next one waits; null where that was asked for.</summary>
    public (string Name, string How, TimeSpan? Pause)? TryVacate()
    {
        if (_process is not { Ended.IsCompleted: true } ended)
            return null;
        bool byItself = IsServing || _failed;
        ended.Dispose();
        _process = null;
        Load = null;
        if (byItself)
            return (ended.Name, ended.Ended.Result, Fail(lived: time.GetElapsedTime(_startedAt) >= options.MaxBackoff));
        (Failures, _pause) = (0, TimeSpan.Zero);
        Enter(SeatPhase.Vacant);
        return (ended.Name, ended.Ended.Result, null);
    }

    public void Note(WorkerLoad? load)
    {
        if (load is not null)
            _seenAt = time.GetTimestamp();
        if (load is { } now && (now.Held > 0 || now.Ended != Load?.Ended))
            _busyAt = time.GetTimestamp();
        Load = load;
    }

    /// <summary>Its process is to end: it is told by the pool, or by SIGTERM where it is not connected.</summary>
    public void Retire(IWorkforce workforce)
    {
        if (Load is null)
        {
            Terminate();
            return;
        }

        Enter(SeatPhase.Draining);
        workforce.Drain(_process!.Name);
    }

    /// <summary>Its process is to end, as one that has failed.</summary>
    public void GiveUp()
    {
        _failed = true;
        Terminate();
    }

    /// <summary>Goes on with the end of a process that does not come to it. One that has left the pool needs time only to exit.</summary>
    public void Press()
    {
        TimeSpan waited = time.GetElapsedTime(_since);
        if (Phase == SeatPhase.Draining && (time.GetElapsedTime(_seenAt) >= options.KillAfter || waited >= options.DrainTimeout))
        {
            Terminate();
        }
        else if (Phase == SeatPhase.Terminating && waited >= options.KillAfter)
        {
            Enter(SeatPhase.Killing);
            _process!.Kill();
        }
    }

    private void Terminate()
    {
        Enter(SeatPhase.Terminating);
        _process!.Terminate();
    }

    private void Enter(SeatPhase phase)
    {
        Phase = phase;
        _since = time.GetTimestamp();
    }
}
