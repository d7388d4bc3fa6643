using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Tests.Workers.Processes;

public sealed class CrewTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void As_many_processes_as_at_least_are_started_each_with_a_name_of_its_own()
    {
        var crew = new TestCrew(new WorkerProcessOptions { Minimum = 3 });
        crew.Crew.Look();
        crew.Pass(Second);

        Assert.Equal(3, crew.Started.Count);
        Assert.Equal(3, crew.Started.Select(static process => process.Name).Distinct().Count());
        Assert.All(crew.Started, static process => Assert.Matches("^resize-[0-9a-f]{8}$", process.Name));
    }

    [Fact]
    public void A_process_that_ends_at_once_is_started_again_after_pauses_that_double_up_to_the_longest()
    {
        var crew = new TestCrew(new WorkerProcessOptions { InitialBackoff = Second, MaxBackoff = 5 * Second });
        var starts = new List<double>();
        for (int i = 0; i < 300; i++)
        {
            crew.Pass(TimeSpan.FromMilliseconds(100));
            foreach (TestProcess process in crew.Alive)
            {
                starts.Add(i / 10d);
                process.End();
            }
        }

        double[] pauses = [.. starts.Zip(starts.Skip(1), static (one, next) => next - one)];
        Assert.Equal([1, 2, 4, 5, 5, 5], pauses.Select(Math.Floor).Take(6)); // 0.1 s late each, by the looking.
        Assert.Equal(crew.Started.Count, crew.Failures);
    }

    [Fact]
    public void Failures_of_one_seat_are_not_spread_over_the_others()
    {
        var crew = new TestCrew(new WorkerProcessOptions { Minimum = 1, Maximum = 8 });
        for (int i = 0; i < 100; i++)
        {
            crew.Pass(TimeSpan.FromMilliseconds(100));
            Array.ForEach(crew.Alive, static process => process.End());
        }

        Assert.Equal(4, crew.Started.Count); // At 0, 1, 3 and 7 s.
    }

    [Fact]
    public void A_process_that_has_lived_long_is_started_again_at_once_and_its_failures_are_forgotten()
    {
        var crew = new TestCrew(new WorkerProcessOptions { InitialBackoff = Second, MaxBackoff = 10 * Second });
        crew.Crew.Look();
        crew.Alive[0].End();
        crew.Pass(1.5 * Second);
        crew.Pass(10 * Second);
        crew.Alive[0].End();
        crew.Crew.Look();

        Assert.Equal(3, crew.Started.Count);
        Assert.Equal(0, crew.Crew.Seats[0].Failures);
    }

    [Fact]
    public void A_program_that_cannot_be_started_is_tried_again_after_a_pause()
    {
        var crew = new TestCrew(new WorkerProcessOptions { InitialBackoff = Second }) { CannotStart = true };
        crew.Crew.Look();
        crew.CannotStart = false;
        crew.Pass(Second / 2);
        Assert.Empty(crew.Started);
        crew.Pass(Second);
        Assert.Single(crew.Started);
    }

    [Fact]
    public void There_are_as_many_processes_as_what_runs_and_waits_has_use_for_and_never_more_than_at_most()
    {
        var crew = new TestCrew(new WorkerProcessOptions { Minimum = 1, Maximum = 3 });
        crew.Crew.Look();
        crew.Report(crew.Alive[0], held: 4);
        crew.Crew.Look();
        Assert.Single(crew.Alive);

        crew.Queue = 3; // Seven tasks, of which a process takes four.
        crew.Crew.Look();
        Assert.Equal(2, crew.Alive.Length);
        crew.Queue = 1_000;
        crew.Pass(Second);
        Assert.Equal(3, crew.Alive.Length);
    }

    [Fact]
    public void Without_a_least_one_process_tells_the_kinds_leaves_when_idle_and_comes_back_for_work()
    {
        var crew = new TestCrew(new WorkerProcessOptions { Minimum = 0, IdleTimeout = 10 * Second });
        crew.Crew.Look();
        TestProcess first = Assert.Single(crew.Alive);
        crew.Report(first);
        crew.Pass(9 * Second);
        Assert.Empty(crew.Drained);
        crew.Pass(2 * Second);
        Assert.Equal([first.Name], crew.Drained);
        crew.Disconnect(first);
        first.End();
        crew.Pass(60 * Second);
        Assert.Single(crew.Started);

        crew.Queue = 1;
        crew.Crew.Look();
        Assert.Single(crew.Alive);
    }

    [Fact]
    public void A_process_above_the_least_retires_when_it_has_nothing_to_do_and_the_least_stay()
    {
        var crew = new TestCrew(new WorkerProcessOptions { Minimum = 1, Maximum = 3, IdleTimeout = 10 * Second });
        crew.Crew.Look();
        crew.Report(crew.Alive[0]);
        crew.Queue = 12;
        crew.Crew.Look();
        crew.Queue = 0;
        crew.Report(crew.Alive[0], held: 1);
        crew.Report(crew.Alive[1], ended: 5);
        crew.Report(crew.Alive[2], ended: 6);
        crew.Pass(60 * Second);

        Assert.Equal(crew.Started.Skip(1).Select(static process => process.Name).Order(), crew.Drained.Order());
    }

    [Fact]
    public void A_process_that_has_done_its_tasks_is_drained_and_another_takes_its_place()
    {
        var crew = new TestCrew(new WorkerProcessOptions { MaxTasks = 100 });
        crew.Crew.Look();
        TestProcess first = crew.Alive[0];
        crew.Report(first, held: 4, ended: 99);
        crew.Crew.Look();
        Assert.Empty(crew.Drained);
        crew.Report(first, held: 3, ended: 100);
        crew.Pass(60 * Second);
        Assert.Equal([first.Name], crew.Drained);
        Assert.False(first.IsTerminated); // It may finish what it has.

        crew.Disconnect(first);
        crew.Pass(Second);
        Assert.False(first.IsTerminated); // It is about to exit.
        first.End();
        crew.Crew.Look();
        Assert.Single(crew.Alive);
        Assert.Equal(0, crew.Crew.Seats[0].Failures);
    }

    [Fact]
    public void A_process_that_has_left_the_pool_and_does_not_exit_is_terminated()
    {
        var crew = new TestCrew(new WorkerProcessOptions { MaxTasks = 1, KillAfter = 3 * Second });
        crew.Crew.Look();
        TestProcess first = crew.Alive[0];
        crew.Report(first, ended: 1);
        crew.Pass(60 * Second);
        crew.Disconnect(first);
        crew.Pass(2.9 * Second);
        Assert.False(first.IsTerminated);
        crew.Pass(0.2 * Second);
        Assert.True(first.IsTerminated);
    }

    [Fact]
    public void A_process_that_retires_before_it_has_come_is_terminated_at_once()
    {
        var crew = new TestCrew(new WorkerProcessOptions { Minimum = 1, Maximum = 2, IdleTimeout = Second });
        crew.Crew.Look();
        crew.Report(crew.Alive[0], held: 4);
        crew.Queue = 1;
        crew.Crew.Look();
        crew.Queue = 0;
        crew.Pass(1.2 * Second);
        Assert.True(crew.Started[1].IsTerminated);
        Assert.Empty(crew.Drained);
    }

    [Fact]
    public void A_process_that_does_not_finish_in_time_is_terminated_and_then_killed()
    {
        var crew = new TestCrew(new WorkerProcessOptions { MaxTasks = 1, DrainTimeout = 5 * Second, KillAfter = 3 * Second });
        crew.Crew.Look();
        TestProcess first = crew.Alive[0];
        crew.Report(first, held: 1, ended: 1);

        crew.Pass(4.9 * Second);
        Assert.False(first.IsTerminated);
        crew.Pass(0.3 * Second);
        Assert.True(first.IsTerminated);
        crew.Pass(2.6 * Second);
        Assert.False(first.IsKilled);
        crew.Pass(0.5 * Second);
        Assert.True(first.IsKilled);
        Assert.True(first.IsDisposed);
    }

    [Fact]
    public void A_process_that_does_not_come_or_no_longer_answers_counts_as_failed_and_is_ended()
    {
        var crew = new TestCrew(new WorkerProcessOptions { ConnectTimeout = 10 * Second, MaxBackoff = 60 * Second, KillAfter = Second });
        crew.Crew.Look();
        TestProcess late = crew.Alive[0];
        crew.Pass(9 * Second);
        crew.Report(late);
        crew.Pass(20 * Second);
        crew.Disconnect(late);
        crew.Pass(9 * Second);
        crew.Report(late); // It was cut off, and is back.
        crew.Pass(Second);
        Assert.False(late.IsTerminated);

        crew.Disconnect(late);
        crew.Pass(10.5 * Second);
        Assert.True(late.IsTerminated);
        crew.Pass(Second);
        Assert.True(late.IsKilled);
        crew.Pass(2 * Second);
        TestProcess next = Assert.Single(crew.Alive);
        Assert.Equal(1, crew.Crew.Seats[0].Failures);
        crew.Pass(10.5 * Second);
        Assert.True(next.IsTerminated);
    }

    [Fact]
    public void Retiring_processes_keep_their_seats_so_that_there_are_never_more_than_at_most()
    {
        var crew = new TestCrew(new WorkerProcessOptions { Minimum = 2, MaxTasks = 1 });
        crew.Crew.Look();
        crew.Report(crew.Alive[0], held: 1, ended: 1);
        crew.Pass(10 * Second);
        Assert.Equal(2, crew.Alive.Length);
    }

    [Fact(Timeout = 30_000)]
    public async Task At_the_end_all_are_terminated_and_those_that_do_not_heed_it_are_killed_a_second_later()
    {
        var crew = new TestCrew(new WorkerProcessOptions { Minimum = 2 });
        crew.Crew.Look();
        Task ended = crew.Crew.EndAsync();
        crew.Started[0].End();
        Assert.All(crew.Started, static process => Assert.True(process.IsTerminated));
        crew.Time.Advance(Second - TimeSpan.FromMilliseconds(1));
        Assert.False(crew.Started[1].IsKilled);
        crew.Time.Advance(TimeSpan.FromMilliseconds(1));
        await ended;
        Assert.True(crew.Started[1].IsKilled);
        Assert.All(crew.Started, static process => Assert.True(process.IsDisposed));
    }
}
