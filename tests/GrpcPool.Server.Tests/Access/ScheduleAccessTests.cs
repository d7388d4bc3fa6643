using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Server.Access;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Server.Tests.Access;

/// <summary>Whose a schedule is, and what of it is shown to whom. A token that is confined to queues or kinds is let into none of its RPCs, which <see cref="RoleTests"/> tells.</summary>
public sealed class ScheduleAccessTests
{
    private static readonly DateTimeOffset Now = new(2027, 1, 30, 12, 0, 0, TimeSpan.Zero);

    private static Schedule Hourly => new()
    {
        Id = "s",
        Task = new TaskSpec { Kind = "gate", Payload = ByteString.CopyFromUtf8("secret"), ContentType = "text/secret", Headers = { ["key"] = "secret" }, Labels = { ["team"] = "blue" } },
        FixedRate = Duration.FromTimeSpan(TimeSpan.FromHours(1)),
        Overlap = OverlapPolicy.Allow,
    };

    [Fact(Timeout = 30_000)]
    public async Task What_its_tasks_are_given_is_shown_to_those_alone_who_may_read()
    {
        await using TestServer server = await StartAsync();
        var (maker, operating, editor) = (Client(server, "maker"), Client(server, "operator"), Client(server, "editor"));
        AssertHidden((await maker.CreateScheduleAsync(new CreateScheduleRequest { Schedule = Hourly }, TestServer.Call)).Schedule);
        AssertHidden((await maker.CreateScheduleAsync(new CreateScheduleRequest { Schedule = Hourly }, TestServer.Call)).Schedule);
        AssertHidden((await maker.UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = Version(1) }, TestServer.Call)).Schedule);
        AssertHidden((await operating.PauseScheduleAsync(new PauseScheduleRequest { Id = "s" }, TestServer.Call)).Schedule);
        AssertHidden((await operating.ResumeScheduleAsync(new ResumeScheduleRequest { Id = "s" }, TestServer.Call)).Schedule);
        Assert.Empty((await operating.TriggerScheduleAsync(new TriggerScheduleRequest { Id = "s" }, TestServer.Call)).Task.Headers);

        Schedule seen = (await editor.GetScheduleAsync(new GetScheduleRequest { Id = "s" }, TestServer.Call)).Schedule;
        Assert.Equal(("secret", "text/secret", "secret"), (seen.Task.Payload.ToStringUtf8(), seen.Task.ContentType, seen.Task.Headers["key"]));
        Assert.True(Assert.Single((await editor.ListSchedulesAsync(new ListSchedulesRequest(), TestServer.Call)).Schedules).Task.Payload.IsEmpty);
        seen = (await editor.UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = Version(seen.Version) }, TestServer.Call)).Schedule;
        Assert.Equal("secret", seen.Task.Payload.ToStringUtf8());

        static void AssertHidden(Schedule schedule)
        {
            Assert.Equal(("s", "gate", "blue"), (schedule.Id, schedule.Task.Kind, schedule.Task.Labels["team"]));
            Assert.Equal((true, "", 0), (schedule.Task.Payload.IsEmpty, schedule.Task.ContentType, schedule.Task.Headers.Count));
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Its_tasks_are_those_of_whoever_made_or_last_changed_or_triggered_it()
    {
        var time = new FakeTimeProvider(Now);
        await using TestServer server = await StartAsync(time);
        await Client(server, "maker").CreateScheduleAsync(new CreateScheduleRequest { Schedule = Hourly }, TestServer.Call);
        Assert.Equal("maker", await NextAsync());
        await Client(server, "editor").UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = Version(1) }, TestServer.Call);
        Assert.Equal("editor", await NextAsync());
        TaskInfo triggered = (await Client(server, "operator").TriggerScheduleAsync(new TriggerScheduleRequest { Id = "s" }, TestServer.Call)).Task;
        Assert.Equal("operator", triggered.SubmittedBy);

        await Client(server, "operator").DeleteScheduleAsync(new DeleteScheduleRequest { Id = "s", CancelTasks = true }, TestServer.Call);
        Assert.Equal("operator", (await server.ClientAs("admin").GetStatusAsync(new GetStatusRequest { Id = triggered.Id }, TestServer.Call)).Task.Cancellation.By);

        async Task<string> NextAsync()
        {
            time.Advance(TimeSpan.FromHours(1));
            string id = (await server.Gate.NextStartAsync()).TaskId;
            return (await server.ClientAs("admin").GetStatusAsync(new GetStatusRequest { Id = id }, TestServer.Call)).Task.SubmittedBy;
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task One_of_another_namespace_does_not_exist()
    {
        await using TestServer server = await StartAsync();
        await Client(server, "maker").CreateScheduleAsync(new CreateScheduleRequest { Schedule = Hourly }, TestServer.Call);
        ScheduleService.ScheduleServiceClient stranger = Client(server, "stranger");
        foreach (Func<string, Task> ask in ById(stranger))
        {
            RpcException hidden = await Refused.WithAsync(StatusCode.NotFound, ask("s"));
            RpcException absent = await Refused.WithAsync(StatusCode.NotFound, ask("t"));
            Assert.Equal(absent.Status.Detail.Replace("'t'", "'s'", StringComparison.Ordinal), hidden.Status.Detail);
        }

        Assert.Empty((await stranger.ListSchedulesAsync(new ListSchedulesRequest(), TestServer.Call)).Schedules);
        Assert.True((await stranger.CreateScheduleAsync(new CreateScheduleRequest { Schedule = Hourly }, TestServer.Call)).Created);
    }

    private static IEnumerable<Func<string, Task>> ById(ScheduleService.ScheduleServiceClient client) =>
    [
        id => client.GetScheduleAsync(new GetScheduleRequest { Id = id }, TestServer.Call).ResponseAsync,
        id => client.UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = Version(1, id) }, TestServer.Call).ResponseAsync,
        id => client.PauseScheduleAsync(new PauseScheduleRequest { Id = id }, TestServer.Call).ResponseAsync,
        id => client.ResumeScheduleAsync(new ResumeScheduleRequest { Id = id }, TestServer.Call).ResponseAsync,
        id => client.TriggerScheduleAsync(new TriggerScheduleRequest { Id = id }, TestServer.Call).ResponseAsync,
        id => client.ListUpcomingAsync(new ListUpcomingRequest { Id = id }, TestServer.Call).ResponseAsync,
        id => client.DeleteScheduleAsync(new DeleteScheduleRequest { Id = id }, TestServer.Call).ResponseAsync,
    ];

    private static Schedule Version(long version, string id = "s")
    {
        Schedule schedule = Hourly;
        (schedule.Id, schedule.Version) = (id, version);
        return schedule;
    }

    private static ScheduleService.ScheduleServiceClient Client(TestServer server, string token) => new(server.As(token));

    private static Task<TestServer> StartAsync(FakeTimeProvider? time = null) => TestServer.StartAsync(time: time ?? new FakeTimeProvider(Now), access: static access =>
    {
        access.Add("admin", Role.Admin);
        access.Add("maker", Role.Submit);
        access.Add("editor", Role.Submit | Role.Read);
        access.Add("operator", Role.Operate);
        access.Add("stranger", Role.Admin, "elsewhere");
    });
}
