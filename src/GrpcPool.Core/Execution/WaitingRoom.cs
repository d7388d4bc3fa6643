
namespace GrpcPool.Core.Execution;

/// <summary>Submissions that wait for room, first come first served. Thread-safe: a caller may leave at any time.</summary>
/// <param name="max">How many may wait.</param>
internal sealed class WaitingRoom(int max)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<QueueId, SortedDictionary<long, Submission>> _lines = [];
    private long _arrivals;
    private int _count;
    private bool _closed;

    public bool IsEmpty => Count == 0;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Lets a submission wait at its place: the one it had, else the end. False where too many wait, or nobody may any more.</summary>
    public bool TryEnter(Submission submission)
    {
        lock (_lock)
        {
            if (submission.Task.IsCompleted)
                return true;
            if (_closed || (_count >= max && submission.Arrival == 0))
                return false;
            if (submission.Arrival == 0)
                submission.Arrival = ++_arrivals;
            QueueId queue = QueueOf(submission);
            if (!_lines.TryGetValue(queue, out SortedDictionary<long, Submission>? line))
                _lines.Add(queue, line = []);
            line.Add(submission.Arrival, submission);
            submission.Waits = true;
            _count++;
            return true;
        }
    }

    /// <summary>Takes those out for whom there is room, in the order of their arrival.</summary>
    public void TakeAdmissible(Admission admission, Queue<Submission> taken)
    {
        lock (_lock)
        {
            while (FirstWithRoom_NeedsLock(admission) is { } first)
            {
                Remove_NeedsLock(first);
                first.Waits = false;
                taken.Enqueue(first);
                admission.Decide(first.Tasks[0]);
            }
        }

        admission.Settle();
    }

    public void Leave(Submission submission)
    {
        lock (_lock)
            Remove_NeedsLock(submission);
    }

    /// <summary>Takes all out, and lets nobody in again.</summary>
    public IReadOnlyList<Submission> Close()
    {
        lock (_lock)
        {
            Submission[] all = [.. _lines.Values.SelectMany(static line => line.Values)];
            _lines.Clear();
            _count = 0;
            _closed = true;
            return all;
        }
    }

    private Submission? FirstWithRoom_NeedsLock(Admission admission)
    {
        Submission? first = null;
        foreach ((QueueId queue, SortedDictionary<long, Submission> line) in _lines)
        {
            if (admission.Room(queue) > 0 && line.First().Value is var head && (first is null || head.Arrival < first.Arrival))
                first = head;
        }

        return first;
    }

    private void Remove_NeedsLock(Submission submission)
    {
        if (submission.Arrival == 0)
            return;
        QueueId queue = QueueOf(submission);
        if (!_lines.TryGetValue(queue, out SortedDictionary<long, Submission>? line) || !line.Remove(submission.Arrival))
            return;
        _count--;
        if (line.Count == 0)
            _lines.Remove(queue);
    }

    private static QueueId QueueOf(Submission submission) => QueueId.Of(submission.Tasks[0]);
}
