using System.ComponentModel;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Workers;
using GrpcPool.Core.Workers.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Workers.Processes;

/// <summary>A crew whose processes, workers and clock are in the test's hands.</summary>
internal sealed class TestCrew : IWorkforce
{
    private readonly Dictionary<string, WorkerLoad> _loads = [];

    public TestCrew(WorkerProcessOptions options)
    {
        Options = options;
        Crew = new Crew(new("resize", options), Start, this, Time, NullLogger.Instance);
    }

    public FakeTimeProvider Time { get; } = new();

    /// <summary>How many processes have failed.</summary>
    public int Failures { get; private set; }

    public WorkerProcessOptions Options { get; }

    public Crew Crew { get; }

    /// <summary>All processes that were ever started.</summary>
    public List<TestProcess> Started { get; } = [];

    /// <summary>Those that have not ended.</summary>
    public TestProcess[] Alive => [.. Started.Where(static process => !process.Ended.IsCompleted)];

    /// <summary>How many tasks wait.</summary>
    public long Queue { get; set; }

    public List<string> Drained { get; } = [];

    public bool CannotStart { get; set; }

    /// <summary>Lets time pass, looking every 100 ms.</summary>
    public void Pass(TimeSpan time)
    {
        for (TimeSpan passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(100))
        {
            Time.Advance(TimeSpan.FromMilliseconds(100));
            Crew.Look();
        }
    }

    /// <summary>The worker of a process says what it does.</summary>
    public void Report(TestProcess process, int held = 0, long ended = 0, int slots = 4) =>
        _loads[process.Name] = new WorkerLoad(new WorkerHello(process.Name, "default", new HashSet<string> { "k" }, slots, new Dictionary<string, string>()), held, ended);

    public void Disconnect(TestProcess process) => _loads.Remove(process.Name);

    public IReadOnlyDictionary<string, WorkerLoad> Find(IReadOnlySet<string> names) => _loads.Where(load => names.Contains(load.Key)).ToDictionary();

    public long Waiting(WorkerHello hello) => Queue;

    public void Drain(string name) => Drained.Add(name);

    public void Failed(string program) => Failures++;

    private TestProcess Start(string name, WorkerProcessOptions options)
    {
        if (CannotStart)
            throw new Win32Exception(2);
        Started.Add(new TestProcess(name, Started.Count + 1));
        return Started[^1];
    }
}

/// <summary>A process that ends when the test says so.</summary>
internal sealed class TestProcess(string name, int pid) : IWorkerProcess
{
    private readonly TaskCompletionSource<string> _ended = new();

    public string Name { get; } = name;

    public int Pid { get; } = pid;

    public Task<string> Ended => _ended.Task;

    public bool IsTerminated { get; private set; }

    public bool IsKilled { get; private set; }

    public bool IsDisposed { get; private set; }


    public void End() => _ended.TrySetResult("exit code 1");

    public void Terminate() => IsTerminated = true;

    public void Kill()
    {
        IsKilled = true;
        End();
    }

    public void Dispose() => IsDisposed = true;
}
