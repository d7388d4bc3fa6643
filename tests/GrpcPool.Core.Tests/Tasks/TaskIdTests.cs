using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Tests.Tasks;

public sealed class TaskIdTests
{
    [Fact]
    public void A_new_id_is_a_version_7_uuid_of_its_time()
    {
        var now = new DateTimeOffset(2026, 11, 22, 12, 34, 56, 789, TimeSpan.Zero);

        var id = Guid.ParseExact(TaskId.New("default", now).Value, "D");

        Assert.Equal(7, id.Version);
        Assert.InRange(id.Variant, 8, 11);
        Assert.Equal(now.ToUnixTimeMilliseconds(), Convert.ToInt64(id.ToString("N")[..12], 16));
    }

    [Fact]
    public void New_ids_of_one_moment_differ() =>
        Assert.Equal(100_000, Enumerable.Range(0, 100_000).Select(static _ => TaskId.New("default", DateTimeOffset.UnixEpoch).Value).ToHashSet().Count);
}
