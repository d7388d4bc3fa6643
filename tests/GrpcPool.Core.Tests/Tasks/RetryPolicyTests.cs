using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Tests.Tasks;

public sealed class RetryPolicyTests
{
    private static readonly RetryPolicy Exact = new() { Jitter = 0 };

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(9, 256)]
    [InlineData(10, 300)]
    [InlineData(1000, 300)]
    public void By_default_pauses_double_from_a_second_up_to_five_minutes(int failures, double seconds) =>
        Assert.Equal(seconds, Exact.BackoffAfter(failures, 0.5).TotalSeconds);

    [Fact]
    public void A_multiplier_of_one_keeps_the_pause() =>
        Assert.Equal(TimeSpan.FromSeconds(1), (Exact with { BackoffMultiplier = 1 }).BackoffAfter(1000, 0.5));

    [Fact]
    public void A_first_pause_above_the_longest_is_cut() =>
        Assert.Equal(TimeSpan.FromSeconds(2), (Exact with { InitialBackoff = TimeSpan.FromDays(1), MaxBackoff = TimeSpan.FromSeconds(2) }).BackoffAfter(1, 0.5));

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void No_first_pause_means_never_a_pause(int failures) =>
        Assert.Equal(TimeSpan.Zero, (Exact with { InitialBackoff = TimeSpan.Zero, BackoffMultiplier = 100 }).BackoffAfter(failures, 0.5));

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0.5, 4)]
    [InlineData(1, 5)]
    public void Jitter_spreads_a_pause_to_both_sides(double sample, double seconds) =>
        Assert.Equal(seconds, (Exact with { Jitter = 0.25 }).BackoffAfter(3, sample).TotalSeconds, 9);

    [Theory]
    [InlineData(null, 4)]
    [InlineData(-5.0, 4)]
    [InlineData(3.9, 4)]
    [InlineData(60.0, 60)]
    [InlineData(86_400.0, 86_400)]
    [InlineData(1e9, 86_400)]
    public void A_pause_that_is_asked_for_prolongs_the_backoff_up_to_a_day(double? asked, double seconds) =>
        Assert.Equal(seconds, Exact.PauseAfter(3, 0.5, asked is { } value ? TimeSpan.FromSeconds(value) : null).TotalSeconds);

    [Fact]
    public void Jitter_never_exceeds_the_longest_pause_nor_goes_below_zero()
    {
        RetryPolicy wild = Exact with { Jitter = 1, MaxBackoff = TimeSpan.FromSeconds(4) };
        Assert.Equal(TimeSpan.FromSeconds(4), wild.BackoffAfter(3, 1));
        Assert.Equal(TimeSpan.Zero, wild.BackoffAfter(3, 0));
    }
}
