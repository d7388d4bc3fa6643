using GrpcPool.Testing.Hostile;

namespace GrpcPool.Server.Tests.Hostile;

/// <summary>Floods of frames of HTTP/2, each of which costs its sender less than a server that does not see to it.</summary>
[Collection(nameof(Siege))]
public sealed class FloodTests
{
    [Fact(Timeout = 120_000)]
    public Task Calls_that_are_reset_at_once() => WithstandAsync(Floods.ResetAsync, effort: 10_000);

    [Fact(Timeout = 120_000)]
    public Task Calls_that_the_server_is_made_to_reset() => WithstandAsync(Floods.MakeResetAsync, effort: 400);

    [Theory(Timeout = 120_000)]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(10_000)]
    public Task Headers_that_go_on_for_ever(int bytes) => WithstandAsync(attack => Floods.ContinueAsync(attack, bytes), effort: 2_000);

    [Fact(Timeout = 120_000)]
    public Task Headers_that_grow_when_they_are_unpacked() => WithstandAsync(Floods.UnpackAsync, effort: 200);

    [Fact(Timeout = 120_000)]
    public Task Pings() => WithstandAsync(Floods.PingAsync, effort: 10_000);

    [Fact(Timeout = 120_000)]
    public Task Settings_that_change_all_the_time() => WithstandAsync(Floods.SetAsync, effort: 10_000);

    [Fact(Timeout = 120_000)]
    public Task Data_without_any() => WithstandAsync(Floods.SendNothingAsync, effort: 10_000);

    [Fact(Timeout = 120_000)]
    public Task Windows_that_grow_a_byte_at_a_time() => WithstandAsync(Floods.WidenAsync, effort: 10_000);

    [Fact(Timeout = 120_000)]
    public Task Connections_that_end_as_soon_as_they_stand() => WithstandAsync(Floods.ConnectAsync, effort: 300);

    [Fact(Timeout = 120_000)]
    public Task Calls_that_say_nothing() => WithstandAsync(Floods.CallBadlyAsync, effort: 2_000);

    /// <summary>Each that did would be one less for all others.</summary>
    [Fact(Timeout = 60_000)]
    public async Task Calls_whose_answers_are_not_read_leave_no_connection_behind()
    {
        await using Siege siege = await Siege.LayAsync("Limits:Connections=10");
        await siege.WithstandsAsync(Floods.CallAsync, effort: 20_000);
        await siege.ComeInAsync();
    }

    private static async Task WithstandAsync(Func<Attack, Task> flood, int effort)
    {
        await using Siege siege = await Siege.LayAsync();
        await siege.WithstandsAsync(flood, effort);
    }
}
