namespace GrpcPool.Core.Workers.Processes;

/// <summary>Lets the processes that the server starts into the server, where it asks for tokens. Thread-safe.</summary>
internal interface IWorkerPasses
{
    /// <summary>A token with which a worker of this name, and no other, may come; null where none is asked for.</summary>
    string? Issue(string name);

    /// <summary>The worker of this name is gone: its token is known no more.</summary>
    void Revoke(string name);
}
