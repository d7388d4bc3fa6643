using System.ComponentModel;
using System.Security.Cryptography;
using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>The processes of one program: as many as there is work for, between the least and the most. Not thread-safe: one loop looks after it.</summary>
internal sealed class Crew
{
    private static readonly TimeSpan GraceAtTheEnd = TimeSpan.FromSeconds(1);

    private readonly string _name;
    private readonly WorkerProcessOptions _options;
    private readonly StartProcess _start;
    private readonly IWorkforce _workforce;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Seat[] _seats;

    /// <summary>As what its processes come; null before the first has.</summary>
    private WorkerHello? _hello;

    public Crew(KeyValuePair<string, WorkerProcessOptions> program, StartProcess start, IWorkforce workforce, TimeProvider time, ILogger log)
    {
        ((_name, _options), _start, _workforce, _time, _log) = (program, start, workforce, time, log);
        _seats = [.. Enumerable.Range(0, _options.Seats).Select(_ => new Seat(_options, time))];
    }

    public IReadOnlyList<Seat> Seats => _seats;

    /// <summary>Takes note of what has happened, and does what is to be done now.</summary>
    public void Look()
    {
        foreach (Seat seat in _seats)
            Vacate(seat);
        Note();
        foreach (Seat seat in _seats)
            Press(seat);
        int wanted = Wanted();
        Retire(wanted);
        Fill(wanted);
    }

    /// <summary>Ends all processes: by SIGTERM, and by force those that do not heed it. Nobody looks any more.</summary>
    public async Task EndAsync()
    {
        IWorkerProcess[] processes = [.. _seats.Select(static seat => seat.Process).OfType<IWorkerProcess>()];
        foreach (IWorkerProcess process in processes)
            process.Terminate();
        Task all = Task.WhenAll(processes.Select(static process => process.Ended));
        await all.WaitAsync(_options.KillAfter < GraceAtTheEnd ? _options.KillAfter : GraceAtTheEnd, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (IWorkerProcess process in processes)
            process.Kill();
        await all.ConfigureAwait(false);
        foreach (IWorkerProcess process in processes)
            process.Dispose();
    }

    private void Vacate(Seat seat)
    {
        if (seat.TryVacate() is not { } ended)
            return;
        if (ended.Pause is { } pause)
            Failed(ended.Name, ended.How, pause);
        else
            Log.ProcessEnded(_log, ended.Name, ended.How);
    }

    private void Press(Seat seat)
    {
        if (seat.IsAbsent)
        {
            Log.ProcessAbsent(_log, seat.Process!.Name, _options.ConnectTimeout);
            seat.GiveUp();
        }

        seat.Press();
    }

    private void Note()
    {
        Seat[] taken = Array.FindAll(_seats, static seat => seat.Process is not null);
        if (taken.Length == 0)
            return;
        IReadOnlyDictionary<string, WorkerLoad> loads = _workforce.Find(taken.Select(static seat => seat.Process!.Name).ToHashSet());
        foreach (Seat seat in taken)
        {
            seat.Note(loads.TryGetValue(seat.Process!.Name, out WorkerLoad load) ? load : null);
            _hello = seat.Load?.Hello ?? _hello;
        }
    }

    /// <summary>How many processes should be at work: the slots for all that runs and waits. Before the kinds are known, the least, and one to tell them.</summary>
    private int Wanted()
    {
        if (_hello is null)
            return Math.Max(1, _options.Minimum);
        if (_options.Minimum == _seats.Length)
            return _seats.Length;
        long work = _workforce.Waiting(_hello) + _seats.Where(static seat => seat.IsServing).Sum(static seat => seat.Load?.Held ?? 0);
        long processes = (work + _hello.Slots - 1) / _hello.Slots;
        return (int)Math.Clamp(processes, _options.Minimum, _seats.Length);
    }

    private void Retire(int wanted)
    {
        foreach (Seat seat in _seats.Where(static seat => seat.IsServing && seat.HasDoneItsTasks))
            Retire(seat, "it has done its tasks");
        int tooMany = Math.Max(0, _seats.Count(static seat => seat.IsServing) - wanted);
        foreach (Seat seat in _seats.Where(seat => seat.IsServing && seat.Idle >= _options.IdleTimeout).OrderByDescending(static seat => seat.Idle).Take(tooMany).ToArray())
            Retire(seat, "it has nothing to do");
    }

    private void Retire(Seat seat, string reason)
    {
        Log.ProcessRetires(_log, seat.Process!.Name, reason);
        seat.Retire(_workforce);
    }

    /// <summary>Starts what is missing. A seat that pauses counts as filled, so that no other takes its place and fails instead; one that has failed goes first.</summary>
    private void Fill(int wanted)
    {
        int missing = Math.Max(0, wanted - _seats.Count(static seat => seat.IsServing || seat.IsPausing));
        foreach (Seat seat in _seats.Where(static seat => seat.MayStart).OrderByDescending(static seat => seat.Failures).Take(missing).ToArray())
            Start(seat);
    }

    private void Start(Seat seat)
    {
        // What nobody can guess, so that no other worker is taken for it.
        string name = $"{_name}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        try
        {
            seat.Occupy(_start(name, _options));
            Log.ProcessStarted(_log, name, seat.Process!.Pid);
        }
        catch (Win32Exception fault)
        {
            Failed(name, $"cannot start {_options.Command}: {fault.Message}", seat.Fail(lived: false));
        }
    }

    private void Failed(string name, string how, TimeSpan pause)
    {
        _workforce.Failed(_name);
        Log.ProcessFailed(_log, name, how, pause);
    }
}
