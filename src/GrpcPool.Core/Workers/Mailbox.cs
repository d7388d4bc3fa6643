namespace GrpcPool.Core.Workers;

/// <summary>What a worker is to be told, until it is taken to be sent. Guarded by its session's lock.</summary>
internal sealed class Mailbox
{
    /// <summary>How many bytes of payload wait to be sent before nothing more is assigned.</summary>
    private const int UnsentBytesMax = 4 << 20;

    private List<Assignment> _unsent = [];
    private List<StopNotice> _stops = [];
    private List<LeaseName> _lost = [];

    /// <summary>Null while nobody waits for news.</summary>
    private TaskCompletionSource? _news;
    private long _unsentBytes;
    private bool _drain;

    /// <summary>Ends with the next signal.</summary>
    public Task News => (_news ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Whether more waits than is to be assigned.</summary>
    public bool IsFull => _unsentBytes > UnsentBytesMax;

    public void Add(Assignment assignment, int bytes)
    {
        _unsent.Add(assignment);
        _unsentBytes += bytes;
        Signal();
    }

    public void Add(StopNotice stop)
    {
        _stops.Add(stop);
        Signal();
    }

    /// <summary>Adds a lease that was its own.</summary>
    public void AddLost(LeaseName lease)
    {
        _lost.Add(lease);
        Signal();
    }

    /// <summary>Adds a lease that it names and that is not its own.</summary>
    /// <exception cref="WorkerException">There are too many.</exception>
    public void AddStrange(LeaseName lease)
    {
        if (_lost.Count >= WorkerSession.BacklogMax)
            throw new WorkerException(WorkerFault.Protocol, "too many leases are named that are not the worker's, and what is said of them is not read");
        AddLost(lease);
    }

    public void AddDrain()
    {
        _drain = true;
        Signal();
    }

    /// <summary>Takes back what was not sent; false where it was.</summary>
    public bool TryWithdraw(Assignment assignment) => _unsent.Remove(assignment);

    /// <summary>Takes back all that was not sent.</summary>
    public Assignment[] Withdraw()
    {
        Assignment[] unsent = [.. _unsent];
        _unsent.Clear();
        return unsent;
    }

    /// <summary>Takes everything out; null where there is nothing.</summary>
    /// <param name="stream">Who takes it.</param>
    /// <param name="accepted">Up to where reports are durable; null: no news.</param>
    /// <param name="withAssignments">Whether assignments may go out now.</param>
    public WorkerMail? Take(WorkerStream stream, long? accepted, bool withAssignments)
    {
        List<Assignment> assignments = withAssignments ? _unsent : [];
        if (assignments.Count == 0 && accepted is null && _stops.Count == 0 && _lost.Count == 0 && !_drain)
            return null;
        foreach (Assignment assignment in assignments)
            assignment.Stream = stream.Number;
        var mail = new WorkerMail(assignments, accepted, _stops, _lost, _drain);
        (_stops, _lost, _drain) = ([], [], false);
        if (withAssignments)
            (_unsent, _unsentBytes) = ([], 0);
        return mail;
    }

    /// <summary>There is something new, here or elsewhere.</summary>
    public void Signal()
    {
        _news?.TrySetResult();
        _news = null;
    }
}
