using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>What a watch tells: an event of the contract, and where it stands in the whole.</summary>
/// <param name="Type">What sort of event.</param>
/// <param name="Task">The task after it; for DELETED at least its namespace and id; null for SYNCED.</param>
/// <param name="Revision">Whoever has seen this event may watch on after this revision. 0: not known yet.</param>
/// <param name="Restarted">
/// Whether the watch could not go on where it was and has started anew: with this event a new snapshot begins, and what was told before counts no more.
/// </param>
public sealed record TaskEvent(WatchEventType Type, TaskInfo? Task, long Revision, bool Restarted);
