using System.Diagnostics;
using GrpcPool.Core.Handlers;

namespace GrpcPool.Core.Execution;

/// <summary>Somebody who runs attempts: the server itself, or one worker. Guarded by the dispatcher's lock.</summary>
/// <param name="slots">How many slots it has.</param>
/// <param name="worker">What its attempts are shown with; empty for the server itself.</param>
/// <param name="entry">Who runs whatever it gets; null: the handler of each kind.</param>
internal sealed class AttemptHost(int slots, string worker = "", HandlerEntry? entry = null)
{
    private volatile bool _isBlocked;

    /// <summary>May become fewer than are used: then nothing starts until enough has ended.</summary>
    public int Slots { get; set; } = slots;

    public string Worker { get; } = worker;

    public HandlerEntry? Entry { get; } = entry;

    /// <summary>How many more attempts it takes; the server itself is asked by its slots alone.</summary>
    public int Credit { get; set; } = entry is null ? int.MaxValue : 0;

    public int Used { get; private set; }

    /// <summary>Whether it has more on its way than it takes in. Set by anybody.</summary>
    public bool IsBlocked
    {
        get => _isBlocked;
        set => _isBlocked = value;
    }

    /// <summary>Whether it was told to leave: it gets nothing more, whatever credit it gives.</summary>
    public bool IsRetired { get; set; }

    public int Free => Credit > 0 && !IsBlocked && !IsRetired ? Slots - Used : 0;

    /// <summary>The task that starts here next: nothing starts before it, though it may need more slots than are free.</summary>
    public Reservation? Reserved { get; set; }

    public void Take(int slots)
    {
        Debug.Assert(slots <= Free, "slots are never given twice");
        Used += slots;
        if (Entry is not null)
            Credit--;
    }

    public void Return(int slots)
    {
        Debug.Assert(slots <= Used, "only what was taken comes back");
        Used -= slots;
    }
}

/// <summary>A task that has been chosen and waits for the slots it needs.</summary>
internal readonly record struct Reservation(QueueState Queue, Storage.ReadyTask Task);
