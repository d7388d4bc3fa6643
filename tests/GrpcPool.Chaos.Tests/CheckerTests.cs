using Google.Protobuf.WellKnownTypes;
using GrpcPool.Chaos.Histories;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Tests;

/// <summary>The judge of all crashes: what it must not let pass.</summary>
public sealed class CheckerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-chaos-tests-");
    private readonly History _history = new();
    private readonly Observer _observer = new();
    private readonly HandlerRecord _record;

    public CheckerTests() => _record = new HandlerRecord(_folder.FullName);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_task_that_ended_once_is_in_order() => Assert.Empty(Judge(Accepted("a")));

    [Fact]
    public void An_accepted_task_that_is_not_there_is_lost()
    {
        Accepted("a");
        Assert.Equal(["a was accepted and is lost"], Judge());
    }

    [Fact]
    public void A_task_that_nobody_submitted_is_none()
    {
        TaskInfo task = Told(Ended("a"));
        Assert.Equal(["a was never submitted"], Judge(task));
    }

    [Fact]
    public void A_start_that_is_not_recorded_is_unexplained()
    {
        TaskInfo task = Accepted("a");
        File.WriteAllLines(Path.Combine(_folder.FullName, "record"), ["start a", "end a", "start a", "start b"]);
        Assert.Equal(["b was started and is not recorded", "a was started 2 times, of which 1 are recorded"], Judge(task));
    }

    [Fact]
    public void A_second_attempt_without_a_loss_is_unexplained()
    {
        TaskInfo task = Accepted("a");
        task.Attempts.Add(new Attempt { Number = 2 });
        Assert.Contains("a was started more often than it was lost", Judge(task));
    }

    [Fact]
    public void More_losses_than_crashes_are_unexplained()
    {
        TaskInfo task = Accepted("a");
        task.Losses = 1;
        task.Attempts.Insert(0, new Attempt { Failure = new Failure { Code = FailureCode.LeaseLost } });
        Assert.Contains("a counts 1 losses, its attempts 1, the servers 0", Judge(task));
    }

    [Fact]
    public void A_failure_by_the_crash_alone_is_a_violation()
    {
        TaskInfo task = Accepted("a", TaskState.Failed);
        task.Failure = new Failure { Code = FailureCode.LeaseLost };
        Assert.Contains(Judge(task), static violation => violation.StartsWith("a ended as Failed", StringComparison.Ordinal));
    }

    [Fact]
    public void An_end_that_the_watch_has_not_told_is_a_gap()
    {
        TaskInfo task = Accepted("a");
        task.Version++;
        Assert.Equal(["a ended otherwise than the watch told"], Judge(task));
    }

    [Fact]
    public void A_task_that_changes_after_its_end_or_goes_back_is_a_violation()
    {
        TaskInfo task = Accepted("a");
        Told(task);
        Assert.Equal(["a went back from version 1 to 1", "a had ended as Succeeded and is Succeeded"], Judge(task));
    }

    [Fact]
    public void Tasks_of_one_key_that_overlap_are_a_violation()
    {
        (TaskInfo first, TaskInfo second) = (Accepted("a"), Accepted("b"));
        first.SerialKey = second.SerialKey = "key";
        Assert.Empty(Judge(first, second));
        first.FinishedAt = Timestamp.FromDateTimeOffset(second.Attempts[0].StartedAt.ToDateTimeOffset().AddSeconds(1));
        Assert.Equal(["b was started before the end of a, which is before it in the line"], Judge(first, second));
    }

    private static TaskInfo Ended(string id, TaskState state = TaskState.Succeeded) => new()
    {
        Id = id,
        Kind = "echo",
        State = state,
        Version = 1,
        Revision = 1,
        FinishedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch),
        Attempts = { new Attempt { Number = 1, StartedAt = Timestamp.FromDateTimeOffset(DateTimeOffset.UnixEpoch) } },
    };

    private TaskInfo Accepted(string id, TaskState state = TaskState.Succeeded)
    {
        _history.Attempt(new TaskSpec { Id = id });
        _history.Accept(id);
        return Told(Ended(id, state));
    }

    private TaskInfo Told(TaskInfo task)
    {
        _observer.Take(new WatchResponse { Events = { new WatchEvent { Type = WatchEventType.Changed, Task = task.Clone() } } });
        return task;
    }

    private IReadOnlyList<string> Judge(params TaskInfo[] tasks) => new Checker(_history, _observer, _record, deaths: 0).Judge(tasks);
}
