using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Chaos.Faults;
using GrpcPool.Chaos.Histories;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Scenarios;

/// <summary>
/// Schedules that are due every second, each at a moment of its own, and one that is triggered by hand all the time, on a server that is killed about when some of them
/// fire, at moments chosen by the seed, and started again on its database.
/// </summary>
internal sealed class ScheduleRun
{
    /// <summary>How often the server is killed; the last time also the next one, while it starts.</summary>
    public const int KillsUsual = 3;

    private const string ByHand = "by-hand";

    private const int Plain = 12;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Apart = TimeSpan.FromMilliseconds(50), Window = TimeSpan.FromSeconds(8);

    /// <summary>Long enough for all schedules to be made before the first is due, also on a busy machine.</summary>
    private static readonly TimeSpan UntilDue = TimeSpan.FromSeconds(3);

    /// <summary>A firing and its recording come within it, most of the time.</summary>
    private static readonly TimeSpan Firing = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan StartMin = TimeSpan.FromMilliseconds(200), StartMax = TimeSpan.FromMilliseconds(800);

    private readonly int _seed;
    private readonly Random _random;
    private readonly Site _site;
    private readonly History _history = new();
    private readonly Observer _observer = new();

    private ScheduleRun(int seed, Site site) => (_seed, _site, _random) = (seed, site, new Random(seed));

    public static async Task<Outcome> RunAsync(int seed, int kills, CancellationToken stop)
    {
        await using var site = new Site(["Pool:Slots=64"]);
        var run = new ScheduleRun(seed, site);
        return await Outcome.OfAsync(site, () => run.RunAsync(kills, stop), fault => Outcome.Of(seed, site, run._history, [], [fault]));
    }

    private async Task<Outcome> RunAsync(int kills, CancellationToken stop)
    {
        await _site.StartAsync(stop);
        Task watch = await _observer.FollowAsync(_site.Client, stop);
        DateTimeOffset start = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()) + UntilDue;
        Schedule[] schedules = [.. Timetables(start)];
        await Task.WhenAll(schedules.Select(schedule => _site.Schedules.CreateScheduleAsync(new CreateScheduleRequest { Schedule = schedule }, cancellationToken: stop).ResponseAsync));
        foreach (Schedule schedule in schedules.Where(Firings.FiresAlways))
            Array.ForEach([.. Firings.DueTimes(schedule).Select(due => Firings.IdOf(schedule, due))], Accept);

        for (int kill = 1; kill <= kills; kill++)
        {
            Task load = TriggerAsync(stop);
            await Task.Delay(NextMoment(start) - TimeProvider.System.GetUtcNow(), TimeProvider.System, stop);
            await _site.KillAsync();
            await Task.WhenAll(load, watch);
            if (kill == kills)
                await _site.KillWhileStartingAsync(StartMin + ((StartMax - StartMin) * _random.NextDouble()), stop);
            await _site.StartAsync(stop);
            watch = await _observer.FollowAsync(_site.Client, stop);
        }

        return await JudgeAsync(stop);
    }

    /// <summary>Within a second or so from now, or from the first due time: soon after a schedule is due.</summary>
    private DateTimeOffset NextMoment(DateTimeOffset start)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        DateTimeOffset moment = (now > start ? now : start) + (Second * (0.2 + _random.NextDouble()));
        return moment.AddTicks(Apart.Ticks - (moment.Ticks % Apart.Ticks)) + (Firing * _random.NextDouble());
    }

    /// <summary>One for each policy, and more that always fire.</summary>
    private static IEnumerable<Schedule> Timetables(DateTimeOffset start)
    {
        for (int i = 0; i < Plain; i++)
            yield return Make($"rate{i}", OverlapPolicy.Allow, start + (i * Apart), Second);
        yield return Make("jitter", OverlapPolicy.Allow, start, Second, jitter: Second / 2);
        yield return Make("skip", OverlapPolicy.Skip, start + (3 * Apart), Second, seconds: 1.5);
        yield return Make("queue-one", OverlapPolicy.QueueOne, start + (5 * Apart), Second, seconds: 1.2);
        yield return Make("cancel", OverlapPolicy.CancelRunning, start + (7 * Apart), Second, seconds: 1.5);

        Schedule cron = Make("cron", OverlapPolicy.Allow, start, Second);
        cron.Cron = new Cron { Expression = "* * * * * *" };
        yield return cron;
        Schedule delay = Make("delay", OverlapPolicy.Skip, start + (9 * Apart), Second);
        delay.FixedDelay = delay.FixedRate;
        yield return delay;
        Schedule byHand = Make(ByHand, OverlapPolicy.Skip, start, Second);
        byHand.Paused = true;
        yield return byHand;
    }

    private static Schedule Make(string id, OverlapPolicy overlap, DateTimeOffset start, TimeSpan rate, TimeSpan? jitter = null, double seconds = 0) => new()
    {
        Id = id,
        Task = new TaskSpec
        {
            Kind = seconds > 0 ? "sleep" : "echo",
            Payload = ByteString.CopyFromUtf8(FormattableString.Invariant($$"""{"seconds":{{seconds}}}""")),
            Retry = new RetryPolicy { InitialBackoff = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(20)), MaxLosses = 100 },
        },
        FixedRate = Duration.FromTimeSpan(rate),
        StartAt = Timestamp.FromDateTimeOffset(start),
        EndAt = Timestamp.FromDateTimeOffset(start - TimeSpan.FromTicks(start.Ticks % Second.Ticks) + Window),
        Overlap = overlap,
        CatchUp = CatchUp.All,
        Jitter = jitter is { } most ? Duration.FromTimeSpan(most) : null,
    };

    private void Accept(string id)
    {
        _history.Attempt(new TaskSpec { Id = id });
        _history.Accept(id);
    }

    /// <summary>Triggers until the server is gone.</summary>
    private async Task TriggerAsync(CancellationToken stop)
    {
        try
        {
            while (true)
                Accept((await _site.Schedules.TriggerScheduleAsync(new TriggerScheduleRequest { Id = ByHand }, cancellationToken: stop)).Task.Id);
        }
        catch (RpcException)
        {
            // It was killed.
        }
    }

    private async Task<Outcome> JudgeAsync(CancellationToken stop)
    {
        // One that always fires is due last of all: after its task, nothing is added but what waited for the end of what runs.
        await _observer.SeeAllEndAsync(_history.Accepted, stop);
        IReadOnlyList<TaskInfo> tasks = await _site.ListAsync(stop);
        while (tasks.FirstOrDefault(static task => task.State < TaskState.Succeeded) is { } open)
        {
            await _site.Client.WaitAsync(new WaitRequest { Id = open.Id }, cancellationToken: stop);
            tasks = await _site.ListAsync(stop);
        }

        ILookup<string, TaskInfo> bySchedule = tasks.ToLookup(static task => task.ScheduleId);
        ListSchedulesResponse schedules = await _site.Schedules.ListSchedulesAsync(new ListSchedulesRequest(), cancellationToken: stop);
        HashSet<string> ids = [.. tasks.Select(static task => task.Id)];
        return Outcome.Of(_seed, _site, _history, tasks,
        [
            .. _observer.Violations,
            .. _history.Accepted.Where(id => !ids.Contains(id)).Select(static id => $"{id} is lost"),
            .. schedules.Schedules.SelectMany(schedule => new Firings(schedule, [.. bySchedule[schedule.Id]]).Judge()),
        ]);
    }
}
