using GrpcPool.Testing.Hostile;
using static GrpcPool.Testing.Hostile.RawCall;

namespace GrpcPool.Server.Tests.Hostile;

/// <summary>Messages that are, or say they are, larger than what is taken.</summary>
[Collection(nameof(Siege))]
public sealed class MessageTests
{
    [Theory(Timeout = 120_000)]
    [InlineData(Submit)]
    [InlineData(SubmitStream)]
    public Task What_inflates_a_thousandfold_is_refused(string method) => RefusesAsync(attack => Floods.InflateAsync(attack, method));

    [Theory(Timeout = 120_000)]
    [InlineData(Submit, uint.MaxValue)]
    [InlineData(SubmitStream, uint.MaxValue)]
    [InlineData(Submit, (uint)int.MaxValue)]
    [InlineData(SubmitStream, (uint)int.MaxValue)]
    public Task What_says_that_it_has_gigabytes_is_refused(string method, uint length) => RefusesAsync(attack => Floods.PromiseAsync(attack, method, length));

    [Fact(Timeout = 120_000)]
    public Task Many_headers_are_refused() => RefusesAsync(static attack => Floods.PostAsync(attack, Submit, [], [.. Enumerable.Range(0, 200).Select(static i => ($"x-{i}", "x"))]));

    [Fact(Timeout = 120_000)]
    public Task Large_headers_are_refused() => RefusesAsync(static attack => Floods.PostAsync(attack, Submit, [], [.. Enumerable.Range(0, 4).Select(static i => ($"x-{i}", new string('x', 9_000)))]));

    private static async Task RefusesAsync(Func<Attack, Task> flood)
    {
        await using Siege siege = await Siege.LayAsync();
        await siege.WithstandsAsync(flood, effort: 20);
    }
}
