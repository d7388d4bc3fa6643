namespace GrpcPool.Core.Workers.Processes;

/// <summary>What the supervision sees of the pool, and asks of it.</summary>
internal interface IWorkforce
{
    /// <summary>What those workers of these names do that are connected, or have just been.</summary>
    IReadOnlyDictionary<string, WorkerLoad> Find(IReadOnlySet<string> names);

    /// <summary>How many tasks are queued that such a worker could run.</summary>
    long Waiting(WorkerHello hello);

    /// <summary>Tells a worker to finish and leave.</summary>
    void Drain(string name);

    /// <summary>Takes note that a process of a program has failed.</summary>
    void Failed(string program);
}

