using CsCheck;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Execution;

public sealed class TokenBucketTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Tokens_are_saved_up_to_the_burst_and_come_back_evenly()
    {
        TokenBucket bucket = New(tokens: 4, per: 2, burst: 3);
        Assert.Equal(3, TakeAll(bucket));
        Assert.Equal(TimeSpan.FromSeconds(0.5), bucket.Wait);

        _time.Advance(TimeSpan.FromSeconds(0.4));
        Assert.Equal((0, TimeSpan.FromSeconds(0.1)), (TakeAll(bucket), bucket.Wait));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, TakeAll(bucket));
        Assert.False(bucket.IsFull);

        _time.Advance(TimeSpan.FromDays(1));
        Assert.True(bucket.IsFull);
        Assert.Equal(3, TakeAll(bucket));
    }

    [Fact]
    public void What_is_not_set_of_the_burst_is_the_number_of_tokens() => Assert.Equal(7, TakeAll(New(tokens: 7, per: 60, burst: null)));

    [Fact]
    public void In_no_span_are_there_more_than_the_burst_and_what_came_back_in_it() =>
        Gen.Select(Gen.Int[1, 50], Gen.Int[1, 20], Gen.Int[1, 30], Gen.Int[0, 400].List[1, 60]).Sample((tokens, per, burst, steps) =>
        {
            var time = new FakeTimeProvider();
            var bucket = new TokenBucket(tokens, new RateOptions { Per = TimeSpan.FromSeconds(per), Burst = burst }, time);
            var starts = new List<DateTimeOffset>();
            foreach (int step in steps)
            {
                time.Advance(TimeSpan.FromMilliseconds(step));
                for (; bucket.HasToken; bucket.Take())
                    starts.Add(time.GetUtcNow());
            }

            for (int i = 0; i < starts.Count; i++)
            {
                for (int j = i; j < starts.Count; j++)
                    Assert.True(j - i + 1 <= burst + ((starts[j] - starts[i]).TotalSeconds * tokens / per) + 1e-6);
            }
        });

    private TokenBucket New(int tokens, int per, int? burst) => new(tokens, new RateOptions { Per = TimeSpan.FromSeconds(per), Burst = burst }, _time);

    private static int TakeAll(TokenBucket bucket)
    {
        int taken = 0;
        for (; bucket.HasToken; taken++)
            bucket.Take();
        return taken;
    }
}
