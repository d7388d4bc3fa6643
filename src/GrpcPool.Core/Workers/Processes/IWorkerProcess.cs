using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>Starts a process that is to come as the worker of a name.</summary>
/// <exception cref="System.ComponentModel.Win32Exception">It cannot be started.</exception>
internal delegate IWorkerProcess StartProcess(string name, WorkerProcessOptions options);

/// <summary>A process that works for the pool. Disposed of after its end.</summary>
internal interface IWorkerProcess : IDisposable
{
    /// <summary>The name by which its worker comes.</summary>
    string Name { get; }

    int Pid { get; }

    /// <summary>Completes when nothing of it is left; says how it ended. Does not fail.</summary>
    Task<string> Ended { get; }

    /// <summary>Asks it to end, by SIGTERM.</summary>
    void Terminate();

    /// <summary>Ends it and everything that it started.</summary>
    void Kill();
}
