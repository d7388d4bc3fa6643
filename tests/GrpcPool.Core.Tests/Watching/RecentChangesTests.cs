using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;

namespace GrpcPool.Core.Tests.Watching;

public class RecentChangesTests
{
    private static readonly TaskRecord Task = TaskTransitions.Submit(new TaskId("n", "t"), new TaskSpec { Kind = "k", Queue = "q" }, null, "", null, new Stamp(1, DateTimeOffset.UnixEpoch));

    private readonly RecentChanges _recent = new(historyMax: 1000);

    [Fact]
    public void Nothing_is_known_before_the_first_change()
    {
        Assert.Null(_recent.Read(0, 10));
        Add(11, before: 10);
        Assert.Null(_recent.Read(9, 10));
        Assert.Equal([11], Read(10));
    }

    [Fact]
    public void What_comes_after_a_revision_is_read_piece_by_piece()
    {
        Add(11, before: 10);
        Add(13, before: 11);
        Add(14, before: 13);
        Assert.Equal([13, 14], Read(11));
        Assert.Equal([13, 14], Read(12));
        Assert.Equal(13L, _recent.Read(10, 2)!.Value.UpTo);
        Assert.Equal((0, 14L), (_recent.Read(14, 2)!.Value.Changes.Count, _recent.Read(14, 2)!.Value.UpTo));
    }

    [Fact]
    public void Only_the_newest_are_kept()
    {
        for (int revision = 1; revision <= 4000; revision++)
            Add(revision, before: revision - 1);
        Assert.Null(_recent.Read(2990, 10));
        Assert.Equal([3999, 4000], Read(3998));
    }

    [Fact]
    public void Of_each_task_only_the_newest_change_is_told()
    {
        Add(11, before: 10);
        _recent.Add([new TaskChange(ChangeType.Changed, Task, 12), new TaskChange(ChangeType.Changed, Task, 13)], before: 11);
        Assert.Equal([11, 13], Read(10));
    }

    [Fact]
    public void Large_payloads_make_room_for_fewer()
    {
        TaskRecord large = Task with { Spec = Task.Spec with { Payload = new byte[1 << 20] } };
        for (int i = 1; i <= 100; i++)
            _recent.Add([new TaskChange(ChangeType.Changed, large with { Id = new TaskId("n", $"t{i}") }, i)], before: i - 1);
        Assert.Null(_recent.Read(80, 100));
        Assert.Equal(16, _recent.Read(84, 100)!.Value.Changes.Count);
    }

    [Fact]
    public void The_end_of_a_retention_does_not_hide_a_final_state()
    {
        _recent.Add([new TaskChange(ChangeType.Changed, Task, 5), new TaskChange(ChangeType.Pruned, Task, 6)], before: 4);
        Assert.Equal([5], Read(4));
    }

    [Fact]
    public void Progress_and_logs_are_not_kept()
    {
        _recent.Add([new TaskChange(ChangeType.Logged, Task, 5), new TaskChange(ChangeType.Changed, Task, 6)], before: 5);
        Assert.Equal([6], Read(5));
    }

    [Fact]
    public void After_it_was_cleared_nothing_older_is_known()
    {
        Add(11, before: 10);
        _recent.Clear();
        Assert.Null(_recent.Read(11, 10));
        Add(15, before: 14);
        Assert.Null(_recent.Read(11, 10));
        Assert.Equal([15], Read(14));
    }

    private void Add(long revision, long before) => _recent.Add([new TaskChange(ChangeType.Changed, Task with { Id = new TaskId("n", $"t{revision}") }, revision)], before);

    private IEnumerable<long> Read(long after) => _recent.Read(after, 10)!.Value.Changes.Select(static change => change.Revision);
}
