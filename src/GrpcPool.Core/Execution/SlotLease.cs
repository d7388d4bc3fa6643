using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Execution;

/// <summary>What a running attempt holds until its handler has returned.</summary>
/// <param name="load">The queue whose limit it counts in.</param>
/// <param name="host">Who runs it; null: nobody that is connected.</param>
/// <param name="slots">How many slots.</param>
/// <param name="serialKey">The task's serial key, or empty.</param>
/// <param name="suspect">Whether no other suspect may run meanwhile.</param>
internal sealed class SlotLease(QueueLoad load, AttemptHost? host, int slots, string serialKey, bool suspect)
{
    public QueueLoad Load { get; } = load;

    /// <summary>Who runs it; null from when its host's slots are given back.</summary>
    public AttemptHost? Host { get; set; } = host;

    public string Worker { get; } = host?.Worker ?? "";

    public HandlerEntry? Entry { get; } = host?.Entry;

    /// <summary>What the token of a worker's lease consists of, beside the claim; 0 for an attempt of the server itself.</summary>
    public long Nonce { get; } = host?.Entry is null ? 0 : LeaseToken.NewNonce();

    /// <summary>As whose start it is committed.</summary>
    public AttemptStart Start => new(Worker, Nonce);

    public int Slots { get; } = slots;

    public string SerialKey { get; } = serialKey;

    public bool Suspect { get; } = suspect;

    /// <summary>Whether the task has ended though its handler goes on: the key stays busy until it returns.</summary>
    public bool HoldsKey { get; set; }

    public bool Released { get; set; }
}

/// <summary>A task chosen to start, with the slots kept for it.</summary>
internal readonly record struct Pick(ReadyTask Task, SlotLease Lease);
