using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Execution;

/// <summary>A command on its way into a commit. It hears of the commit on the committer's loop, which it must not hold up.</summary>
internal interface ICommandRequest
{
    /// <summary>The command; null for a nudge, which is answered after the commit that follows it.</summary>
    TaskCommand? Command { get; }

    /// <summary>What an attempt whose handler has returned gives back.</summary>
    SlotLease? Released { get; }

    void Committed(CommandOutcome outcome);

    void Failed(Exception fault);
}

/// <summary>A command whose outcome somebody awaits.</summary>
internal sealed class CommandRequest(TaskCommand? command) : TaskCompletionSource<CommandOutcome>(TaskCreationOptions.RunContinuationsAsynchronously), ICommandRequest
{
    public TaskCommand? Command { get; } = command;

    public SlotLease? Released => null;

    public void Committed(CommandOutcome outcome) => TrySetResult(outcome);

    public void Failed(Exception fault) => TrySetException(fault);
}

/// <summary>What goes into one commit by one command: items of one atomic submission, or of many others. Used again for the next commit.</summary>
internal sealed class InsertRequest
{
    private readonly List<Insertion> _items = [];
    private readonly List<(Submission Submission, int Index, SlotLease? Lease)> _places = [];

    public int Count => _items.Count;

    public InsertTasks Command(bool atomic) => new(_items, atomic);

    public void Add(Submission submission, InsertMode mode, SlotLease? lease)
    {
        int index = submission.DecideLater();
        _items.Add(new Insertion(submission.Tasks[index], mode, lease?.Start ?? default));
        _places.Add((submission, index, lease));
    }

    public void Clear()
    {
        _items.Clear();
        _places.Clear();
    }

    /// <summary>Takes note of what the commit made of the items.</summary>
    /// <param name="outcome">The command's outcome.</param>
    /// <param name="started">Hears of those that run.</param>
    /// <param name="unused">Hears of slots that were kept in vain.</param>
    /// <param name="settled">Hears of each submission when all of its items are settled.</param>
    public void Settle(CommandOutcome outcome, Action<Tasks.TaskRecord, SlotLease> started, Action<SlotLease> unused, Action<Submission> settled)
    {
        for (int i = 0; i < _places.Count; i++)
        {
            (Submission submission, int index, SlotLease? lease) = _places[i];
            CommandOutcome item = outcome.Items![i];
            submission.Set(index, new SubmitResult(VerdictOf(item.Verdict), item.Task, item.Place));
            if (lease is not null && item is { Verdict: Verdict.Done, Task: { State: Tasks.TaskState.Running } running })
                started(running, lease);
            else if (lease is not null)
                unused(lease);
            if (IsLastOfItsSubmission(i))
                settled(submission);
        }
    }

    public void Fail(Exception fault, Action<SlotLease> unused)
    {
        for (int i = 0; i < _places.Count; i++)
        {
            (Submission submission, int index, SlotLease? lease) = _places[i];
            submission.Set(index, new SubmitResult(SubmitVerdict.StorageFull));
            if (lease is not null)
                unused(lease);
            if (IsLastOfItsSubmission(i))
                submission.Fail(fault);
        }
    }

    private bool IsLastOfItsSubmission(int place) => place + 1 == _places.Count || _places[place + 1].Submission != _places[place].Submission;

    private static SubmitVerdict VerdictOf(Verdict verdict) => verdict switch
    {
        Verdict.Done => SubmitVerdict.Created,
        Verdict.Existing => SubmitVerdict.Existing,
        Verdict.Conflict => SubmitVerdict.Conflict,
        Verdict.NoParent => SubmitVerdict.NoParent,
        Verdict.KeyHeld => SubmitVerdict.KeyHeld,
        Verdict.Full => SubmitVerdict.QueueFull,
        _ => SubmitVerdict.Aborted,
    };
}
