namespace GrpcPool.Core.Workers;

/// <summary>Which messages of reports have come, and up to which one all is durable. Guarded by its session's lock.</summary>
internal sealed class ReportBook
{
    private readonly Queue<PendingReports> _pending = [];
    private long _received;
    private long _accepted;
    private long _told;

    /// <summary>Whether all that came is durable.</summary>
    public bool IsSettled => _pending.Count == 0;

    /// <summary>Up to where reports are durable, if that is news to the worker.</summary>
    public long? News => _accepted > _told ? _accepted : null;

    /// <summary>Begins with a message; null for one that came before, of which is said again what is accepted.</summary>
    /// <exception cref="WorkerException">Its number is not the next, or too many wait to be accepted.</exception>
    public PendingReports? Begin(long sequence)
    {
        if (sequence < 1 || sequence > _received + 1)
            throw new WorkerException(WorkerFault.Protocol, $"the reports have the sequence {sequence}, and {_received + 1} is the next");
        if (sequence <= _received)
        {
            TellAgain();
            return null;
        }

        if (_pending.Count >= WorkerSession.BacklogMax)
            throw new WorkerException(WorkerFault.Protocol, $"{WorkerSession.BacklogMax} messages of reports wait to be accepted: wait for that");
        _received = sequence;
        var pending = new PendingReports(sequence);
        _pending.Enqueue(pending);
        return pending;
    }

    /// <summary>One of the endings of a message is committed, or the message is read.</summary>
    public void Settle(PendingReports done)
    {
        done.Open--;
        while (_pending.TryPeek(out PendingReports? first) && first.Open == 0)
            _accepted = _pending.Dequeue().Sequence;
    }

    /// <summary>The worker has been told.</summary>
    public void Told() => _told = _accepted;

    /// <summary>What is accepted is news again.</summary>
    public void TellAgain() => _told = 0;
}

/// <summary>A message of reports some of whose endings are not committed yet. Guarded by its session's lock.</summary>
internal sealed class PendingReports(long sequence)
{
    public long Sequence { get; } = sequence;

    /// <summary>How many endings are missing, and one more while the message is read.</summary>
    public int Open { get; set; } = 1;
}
