using GrpcPool.Core.Storage;

namespace GrpcPool.Core.Watching;

/// <summary>Somebody who is told of changes. Neither call may take long.</summary>
internal interface IWatcher
{
    /// <summary>Something has changed; it need not be of interest.</summary>
    void Offer(TaskChange change);

    /// <summary>Whether he will look for changes himself, until <see cref="WatchHub.Resume"/>: then only progress is news to him.</summary>
    bool IsBehind => false;

    /// <summary>Changes have been missed.</summary>
    void Overflow();
}
