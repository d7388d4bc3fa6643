using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Execution;

/// <summary>What a submission does where a queue is full.</summary>
internal enum WhenFull
{
    /// <summary>As the queue's policy says.</summary>
    AsTheQueueSays,

    /// <summary>The item is refused, whatever the policy.</summary>
    Refuse,

    /// <summary>As the queue's policy says, but at the first item that would have to wait the submission ends, and what follows is not tried.</summary>
    StopBeforeWaiting,
}

/// <summary>What became of a submitted task.</summary>
internal enum SubmitVerdict
{
    /// <summary>Not tried: an item before it would have to wait.</summary>
    NotTried,

    Created,

    /// <summary>The id exists with an equal spec.</summary>
    Existing,

    /// <summary>The id exists with another spec.</summary>
    Conflict,

    /// <summary>One of the tasks after which it is to run does not exist.</summary>
    NoParent,

    /// <summary>Another task, which has not ended, has the unique key.</summary>
    KeyHeld,

    QueueFull,

    PoolFull,

    /// <summary>The medium of the store is full, or nearly so.</summary>
    StorageFull,

    /// <summary>The process is short of memory.</summary>
    MemoryShort,

    TooManyQueues,

    TooManyNamespaces,

    TooManyWaiters,

    /// <summary>The pool shuts down.</summary>
    Draining,

    /// <summary>Another item of the same atomic submission could not be accepted.</summary>
    Aborted,
}

/// <summary>What became of a submitted task, and the task where there is one.</summary>
/// <param name="Verdict">What became of it.</param>
/// <param name="Task">The task.</param>
/// <param name="Place">Which of the tasks after which it is to run does not exist, from 0.</param>
internal readonly record struct SubmitResult(SubmitVerdict Verdict, TaskRecord? Task = null, int Place = 0);

/// <summary>Tasks on their way in: admitted item by item, in order, over one or more commits.</summary>
internal sealed class Submission(IReadOnlyList<NewTask> tasks, bool atomic, WhenFull whenFull, CancellationToken left)
    : TaskCompletionSource<SubmitResult[]>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly SubmitResult[] _results = new SubmitResult[tasks.Count];
    private CancellationTokenRegistration _leaving;

    public IReadOnlyList<NewTask> Tasks { get; } = tasks;

    public bool Atomic { get; } = atomic;

    public WhenFull WhenFull { get; } = whenFull;

    /// <summary>The first item that is not decided.</summary>
    public int Next { get; private set; }

    public bool IsDecided => Next == Tasks.Count;

    /// <summary>When it came to wait for room; 0 before. Who has waited keeps this place.</summary>
    public long Arrival { get; set; }

    /// <summary>Whether it waits for room now.</summary>
    public bool Waits { get; set; }

    /// <summary>Ends a submission whose caller has left. False where he has not.</summary>
    public bool EndIfLeft()
    {
        if (left.IsCancellationRequested)
            TrySetCanceled(left);
        return left.IsCancellationRequested;
    }

    /// <summary>Lets the caller leave while he waits for room: nobody waits long for anything else.</summary>
    public void LetLeave(WaitingRoom room)
    {
        if (left.CanBeCanceled && _leaving == default)
            _leaving = left.UnsafeRegister(static (state, token) => Leave((ValueTuple<Submission, WaitingRoom>)state!, token), (this, room));
    }

    public void Decide(SubmitResult result) => _results[Next++] = result;

    /// <summary>Leaves the next item's result to the commit under way.</summary>
    public int DecideLater() => Next++;

    public void Set(int index, SubmitResult result) => _results[index] = result;

    /// <summary>Ends with the remaining items not tried.</summary>
    public void Stop() => Next = Tasks.Count;

    public void DecideAll(Func<int, SubmitResult> result)
    {
        for (int i = 0; i < _results.Length; i++)
            _results[i] = result(i);
        Next = _results.Length;
    }

    /// <summary>Decides on what is left.</summary>
    public void DecideRest(SubmitVerdict verdict)
    {
        while (!IsDecided)
            Decide(new SubmitResult(verdict));
    }

    /// <summary>Ends what is left by a fault of the store. A full one is an answer like that of a full queue.</summary>
    public void Fail(Exception fault)
    {
        if (fault is not StorageException { Fault: StorageFault.Full })
            TrySetException(fault);
        DecideRest(SubmitVerdict.StorageFull);
        Answer();
    }

    /// <summary>Tells what became of it, and counts what was not accepted by the number of its verdict.</summary>
    public void Answer(long[] refused)
    {
        foreach (SubmitResult result in _results)
        {
            if (result.Verdict >= SubmitVerdict.QueueFull)
                refused[(int)result.Verdict]++;
        }

        Answer();
    }

    public void Answer()
    {
        _leaving.Unregister();
        TrySetResult(_results);
    }

    private static void Leave((Submission Submission, WaitingRoom Room) who, CancellationToken token)
    {
        who.Submission.TrySetCanceled(token);
        who.Room.Leave(who.Submission);
    }
}
