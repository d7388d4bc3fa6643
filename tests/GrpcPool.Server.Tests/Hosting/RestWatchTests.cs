using GrpcPool.Server.Hosting;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>When memory is given back: after work, once, and not while anybody works.</summary>
public sealed class RestWatchTests
{
    private const long Mebibyte = 1 << 20;

    [Fact]
    public void Memory_is_given_back_once_after_work()
    {
        var watch = new RestWatch();
        Assert.False(watch.HasComeToRest(collections: 3, allocated: 30 * Mebibyte, heapBytes: 5 * Mebibyte));
        Assert.True(watch.HasComeToRest(collections: 3, allocated: 30 * Mebibyte, heapBytes: 5 * Mebibyte));
        watch.Collected(collections: 4);
        Assert.False(watch.HasComeToRest(collections: 4, allocated: 30 * Mebibyte, heapBytes: 5 * Mebibyte));
    }

    [Fact]
    public void Memory_is_given_back_again_after_the_next_work()
    {
        var watch = new RestWatch();
        watch.Collected(collections: 4);
        Assert.False(watch.HasComeToRest(collections: 9, allocated: 90 * Mebibyte, heapBytes: 5 * Mebibyte));
        Assert.True(watch.HasComeToRest(collections: 9, allocated: 90 * Mebibyte, heapBytes: 5 * Mebibyte));
    }

    [Fact]
    public void Nobody_is_interrupted()
    {
        var watch = new RestWatch();
        for (int i = 1; i < 10; i++)
            Assert.False(watch.HasComeToRest(collections: i, allocated: i * 2 * Mebibyte, heapBytes: 5 * Mebibyte));
    }

    [Fact]
    public void A_large_heap_is_left_alone()
    {
        var watch = new RestWatch();
        Assert.False(watch.HasComeToRest(collections: 3, allocated: 0, heapBytes: 1024 * Mebibyte));
    }
}
