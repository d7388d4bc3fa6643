using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>The workers of a pool, as the supervision sees them.</summary>
internal sealed class Workforce(TaskPool pool) : IWorkforce
{
    public IReadOnlyDictionary<string, WorkerLoad> Find(IReadOnlySet<string> names)
    {
        var found = new Dictionary<string, WorkerLoad>();
        foreach (WorkerSession session in pool.Workers.Named(names))
        {
            WorkerLoad load = session.Load;
            WorkerLoad others = found.GetValueOrDefault(session.Hello.Name);
            found[session.Hello.Name] = load with { Held = load.Held + others.Held, Ended = load.Ended + others.Ended };
        }

        return found;
    }

    public long Waiting(WorkerHello hello)
    {
        var filter = new TaskFilter(hello.Namespace) { States = [TaskState.Queued], Kinds = [.. hello.Kinds] };
        return pool.TryCount(filter)!.Sum(static counted => counted.Count);
    }

    public void Drain(string name)
    {
        foreach (WorkerSession session in pool.Workers.Named(new HashSet<string> { name }))
            session.AskToDrain();
    }

    public void Failed(string program) => pool.Metrics.ProcessFailed(program);
}
