using GrpcPool.Core.Administration;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Execution;

/// <summary>Lets submissions in: asks the admission, follows the queue's policy where there is no room. Used by the committer alone.</summary>
internal sealed class SubmissionGate(SettingsInForce settings, Admission admission, WaitingRoom waitingRoom, Dispatcher dispatcher, GuardedStore store, TimeProvider time)
{
    /// <summary>How many tasks one commit lets in.</summary>
    private const int AdmittedMax = 2048;

    /// <summary>
    /// How many it lets in, at most, that have to wait for a slot while attempts end: fewer the more do, as so many slots are about to be free. Who waits a moment outside is inserted as running then,
    /// which is half the work of waiting inside and being looked for; and a backlog that was let in faster than it is worked off would make all that come wait inside.
    /// </summary>
    private const int WaitingMax = 256;

    private readonly Queue<Submission> _next = new();

    /// <summary>How many tasks were not accepted, by the number of their verdict.</summary>
    private readonly long[] _refused = new long[(int)SubmitVerdict.Aborted + 1];
    private volatile bool _closed;

    /// <summary>Whether the commit under way inserts a task that is due and does not start with it: nothing may overtake it.</summary>
    private bool _lineFormed;

    /// <summary>How many tasks the commit under way lets in so far.</summary>
    private int _admitted;

    /// <summary>How many attempts a commit ends, of late.</summary>
    private int _ended;

    /// <summary>How many submissions are to be asked now: those that found room or come again first.</summary>
    public int Count => _next.Count;

    /// <summary>How many submissions wait for room. Thread-safe.</summary>
    public int Waiters => waitingRoom.Count;

    /// <summary>How many tasks were not accepted so far, by the reason. Thread-safe.</summary>
    public IEnumerable<(SubmitVerdict Reason, long Count)> Refusals =>
        Enum.GetValues<SubmitVerdict>().Where(static verdict => verdict >= SubmitVerdict.QueueFull).Select(verdict => (verdict, Volatile.Read(ref _refused[(int)verdict])));

    /// <summary>Whether somebody is to be asked for this commit.</summary>
    public bool HasNext => Count > 0 && TakesMore();

    public void Enter(Submission submission) => _next.Enqueue(submission);

    /// <summary>Takes note of how many attempts the next commit ends. At workers they end in bursts, with commits between them.</summary>
    public void NoteEnded(int ended) => _ended = Math.Max(ended, _ended * 3 / 4);

    /// <summary>Whoever waits and finds room now comes next. Called after each commit.</summary>
    public void Settle()
    {
        admission.Settle();
        (_lineFormed, _admitted) = (false, 0);
        if (waitingRoom.IsEmpty)
            return;

        // Who waited was there before those who are to be asked again; but all of an atomic submission only finds room before anybody is promised some.
        Submission[] again = [.. _next];
        _next.Clear();
        Enqueue(again.Where(static submission => submission.Atomic));
        waitingRoom.TakeAdmissible(admission, _next);
        Enqueue(again.Where(static submission => !submission.Atomic));
    }

    /// <summary>From now on nobody comes in; those who wait are sent away. Thread-safe.</summary>
    public void Close()
    {
        _closed = true;
        foreach (Submission submission in waitingRoom.Close())
            Refuse(submission, SubmitVerdict.Draining);
    }

    /// <summary>Takes the next submission's items for this commit: those of an atomic one by themselves, those of others together.</summary>
    /// <param name="together">Where items of submissions gather that are not atomic.</param>
    /// <returns>The items of an atomic submission; null where there are none.</returns>
    public async ValueTask<InsertRequest?> AdmitNextAsync(InsertRequest together)
    {
        Submission submission = _next.Dequeue();
        if (submission.Task.IsCompleted || submission.EndIfLeft())
            return null;
        if (_closed)
        {
            submission.DecideRest(SubmitVerdict.Draining);
        }
        else if (store.Trouble is { } trouble)
        {
            submission.Fail(trouble);
            return null;
        }

        InsertRequest insert = submission.Atomic ? new InsertRequest() : together;
        int before = insert.Count;
        try
        {
            await AdmitAsync(submission, insert).ConfigureAwait(false);
        }
        catch (Exception fault)
        {
            submission.Fail(fault);
            throw;
        }

        _admitted += insert.Count - before;
        if (insert.Count == before)
            Continue(submission);
        return submission.Atomic && insert.Count > 0 ? insert : null;
    }

    /// <summary>Answers a submission that is decided; one that is not comes again, unless it waits for room.</summary>
    public void Continue(Submission submission)
    {
        if (submission.IsDecided)
            submission.Answer(_refused);
        else if (!submission.Waits)
            _next.Enqueue(submission);
    }

    private bool TakesMore(int more = 0)
    {
        int max = _lineFormed && _ended > 0 ? Math.Max(WaitingMax - (2 * _ended), Math.Max(WaitingMax, _ended) / 8) : AdmittedMax;
        return _admitted + more < max;
    }

    private async ValueTask AdmitAsync(Submission submission, InsertRequest insert)
    {
        if (submission.Atomic && !submission.IsDecided)
            await AdmitAllAsync(submission, insert).ConfigureAwait(false);
        int before = insert.Count;
        while (!submission.IsDecided && TakesMore(insert.Count - before) && await TryAdmitAsync(submission, insert).ConfigureAwait(false))
        {
        }
    }

    private async ValueTask AdmitAllAsync(Submission submission, InsertRequest insert)
    {
        var known = new Dictionary<NewTask, InsertMode>(ReferenceEqualityComparer.Instance);
        AdmissionDecision[] decisions = admission.DecideAll(submission.Tasks, known);
        if (Array.Exists(decisions, static decision => decision is not (AdmissionDecision.Admit or AdmissionDecision.AskAgain)))
        {
            foreach (NewTask task in submission.Tasks)
            {
                if (await ModeOfKnownAsync(task).ConfigureAwait(false) is { } mode)
                    known.Add(task, mode);
            }

            if (known.Count > 0)
                decisions = admission.DecideAll(submission.Tasks, known);
        }

        if (decisions.Contains(AdmissionDecision.AskAgain))
            return;
        if (Array.TrueForAll(decisions, static decision => decision == AdmissionDecision.Admit))
        {
            foreach (NewTask task in submission.Tasks)
                insert.Add(submission, known.GetValueOrDefault(task), lease: null);
            _lineFormed = true;
        }
        else
        {
            submission.DecideAll(i => new SubmitResult(VerdictOf(decisions[i])));
        }
    }

    /// <summary>Decides on the next item. False where the rest must wait for another commit, or for room.</summary>
    private async ValueTask<bool> TryAdmitAsync(Submission submission, InsertRequest insert)
    {
        if (submission.Atomic)
            return false;
        NewTask task = submission.Tasks[submission.Next];
        AdmissionDecision decision = admission.Decide(task);
        if (decision == AdmissionDecision.AskAgain)
            return false;
        if (decision == AdmissionDecision.Admit)
        {
            bool due = task.Spec.After.Count == 0 && (task.RunAt is null || task.RunAt <= time.GetUtcNow());
            SlotLease? lease = due && !_lineFormed ? dispatcher.TryTake(task) : null;
            _lineFormed |= due && lease is null;
            insert.Add(submission, lease is null ? InsertMode.Plain : InsertMode.Start, lease);
            return true;
        }

        // What is known needs no room: the store says whether it is the same task.
        if (await ModeOfKnownAsync(task).ConfigureAwait(false) is { } mode)
        {
            insert.Add(submission, mode, lease: null);
            return true;
        }

        return decision is AdmissionDecision.QueueFull or AdmissionDecision.PoolFull ? TryFull(submission, insert, task, decision) : Decide(submission, decision);
    }

    /// <summary>How a task goes in for which there is no room, if its id is known or its unique key is held; else null.</summary>
    private async ValueTask<InsertMode?> ModeOfKnownAsync(NewTask task)
    {
        if (task.SpecHash is not null && await store.FindAsync(task.Id).ConfigureAwait(false) is not null)
            return InsertMode.Plain;
        bool held = task.Spec.UniqueKey.Length > 0 && await store.FindUniqueAsync(task.Id.Namespace, task.Spec.UniqueKey).ConfigureAwait(false) is not null;
        return held ? InsertMode.WithoutRoom : null;
    }

    private bool TryFull(Submission submission, InsertRequest insert, NewTask task, AdmissionDecision decision)
    {
        FullPolicy policy = submission.WhenFull == WhenFull.Refuse ? FullPolicy.Reject : settings.Queue(task.Spec.Queue).WhenFull;
        switch (policy)
        {
            case FullPolicy.DiscardOldest:
                insert.Add(submission, InsertMode.Displace, lease: null);
                return true;
            case FullPolicy.Wait when submission.WhenFull == WhenFull.StopBeforeWaiting:
                submission.Stop();
                return false;
            case FullPolicy.Wait:
                if (waitingRoom.TryEnter(submission))
                {
                    submission.LetLeave(waitingRoom);
                    return false;
                }

                submission.Decide(new SubmitResult(_closed ? SubmitVerdict.Draining : SubmitVerdict.TooManyWaiters));
                return true;
            default:
                return Decide(submission, decision);
        }
    }

    private static bool Decide(Submission submission, AdmissionDecision decision)
    {
        submission.Decide(new SubmitResult(VerdictOf(decision)));
        return true;
    }

    private void Enqueue(IEnumerable<Submission> submissions)
    {
        foreach (Submission submission in submissions)
            _next.Enqueue(submission);
    }

    public static void Refuse(Submission submission, SubmitVerdict verdict)
    {
        submission.DecideAll(_ => new SubmitResult(verdict));
        submission.Answer();
    }

    private static SubmitVerdict VerdictOf(AdmissionDecision decision) => decision switch
    {
        AdmissionDecision.QueueFull => SubmitVerdict.QueueFull,
        AdmissionDecision.PoolFull => SubmitVerdict.PoolFull,
        AdmissionDecision.TooManyQueues => SubmitVerdict.TooManyQueues,
        AdmissionDecision.TooManyNamespaces => SubmitVerdict.TooManyNamespaces,
        _ => SubmitVerdict.Aborted,
    };
}
