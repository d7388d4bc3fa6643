using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Server.Tests.Services;

public sealed class ScheduleTests
{
    private static readonly DateTimeOffset Now = new(2027, 1, 30, 12, 0, 0, TimeSpan.Zero);

    private static Schedule Daily => new()
    {
        Id = "daily",
        Task = new TaskSpec { Kind = "echo", Payload = ByteString.CopyFromUtf8("hello"), Labels = { ["team"] = "blue" }, Group = "g" },
        Cron = new Cron { Expression = "0 8 * * *", TimeZone = "Europe/Berlin" },
    };

    [Fact(Timeout = 20_000)]
    public async Task A_schedule_is_created_once_and_shown_with_its_defaults()
    {
        await using TestServer server = await StartAsync();
        CreateScheduleResponse created = await Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = Daily }, TestServer.Call);
        Schedule schedule = created.Schedule;
        Assert.True(created.Created);
        Assert.Equal(("default", "daily", 1, "default", "hello", 1), (schedule.Namespace, schedule.Id, schedule.Version, schedule.Task.Queue, schedule.Task.Payload.ToStringUtf8(), schedule.Task.Retry.MaxAttempts));
        Assert.Equal((OverlapPolicy.Skip, CatchUp.Skip, false), (schedule.Overlap, schedule.CatchUp, schedule.FromSettings));
        Assert.Equal(new DateTimeOffset(2027, 1, 31, 7, 0, 0, TimeSpan.Zero), schedule.NextRunAt.ToDateTimeOffset());
        Assert.Equal((Now, Now, null), (schedule.CreatedAt.ToDateTimeOffset(), schedule.UpdatedAt.ToDateTimeOffset(), schedule.LastRunAt));

        CreateScheduleResponse again = await Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = Daily }, TestServer.Call);
        Assert.Equal((false, schedule), (again.Created, again.Schedule));
        Assert.Equal(schedule, (await Client(server).GetScheduleAsync(new GetScheduleRequest { Id = "daily" }, TestServer.Call)).Schedule);
        Schedule other = Daily;
        other.Task.Priority = 5;
        RpcException refusal = await Refused.WithAsync(StatusCode.AlreadyExists, Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = other }, TestServer.Call));
        Assert.Equal("SCHEDULE_EXISTS", refusal.Detail<ErrorInfo>().Reason);
        other.Id = "";
        Assert.Equal(36, (await Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = other }, TestServer.Call)).Schedule.Id.Length);
    }

    [Fact(Timeout = 20_000)]
    public async Task It_fires_and_its_tasks_are_found_by_it()
    {
        var time = new FakeTimeProvider(Now);
        await using TestServer server = await StartAsync(time: time);
        await Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = Daily }, TestServer.Call);
        time.Advance(TimeSpan.FromHours(19));
        const string id = "daily:20270131T070000Z";
        await server.RunAsync(new TaskSpec { Kind = "echo" });
        TaskInfo task = (await server.Client.WaitAsync(new WaitRequest { Id = id }, TestServer.Call)).Task;
        Assert.Equal(("daily", TaskState.Succeeded, "blue", "g"), (task.ScheduleId, task.State, task.Labels["team"], task.Group));
        var filter = new TaskFilter { ScheduleId = "daily" };
        Assert.Equal([id], (await server.Client.ListAsync(new ListRequest { Filter = filter }, TestServer.Call)).Tasks.Select(static found => found.Id));
        Assert.Equal(1, (await server.Client.CountAsync(new CountRequest { Filter = filter }, TestServer.Call)).Total);
        Schedule schedule = (await Client(server).GetScheduleAsync(new GetScheduleRequest { Id = "daily" }, TestServer.Call)).Schedule;
        Assert.Equal((1, id, 1), (schedule.Runs, schedule.LastTaskId, schedule.Version));
    }

    [Fact(Timeout = 20_000)]
    public async Task Each_field_that_breaks_its_rule_is_named()
    {
        await using TestServer server = await StartAsync();
        Assert.Equal(["schedule"], await FieldsAsync(server, null));
        Assert.Equal(["schedule.timetable", "schedule.task"], await FieldsAsync(server, new Schedule()));
        Assert.Equal(
            ["schedule.id", "schedule.cron.expression", "schedule.cron.time_zone", "schedule.end_at", "schedule.max_runs", "schedule.jitter", "schedule.overlap", "schedule.catch_up", "schedule.task.id", "schedule.task.start", "schedule.task.kind"],
            await FieldsAsync(server, new Schedule
            {
                Id = new string('x', 65),
                Cron = new Cron { Expression = "61 * * * *", TimeZone = "Nowhere/City" },
                StartAt = Timestamp.FromDateTimeOffset(Now),
                EndAt = Timestamp.FromDateTimeOffset(Now.AddDays(-1)),
                MaxRuns = -1,
                Jitter = Duration.FromTimeSpan(TimeSpan.FromDays(2)),
                Overlap = (OverlapPolicy)9,
                CatchUp = (CatchUp)9,
                Task = new TaskSpec { Id = "x", Delay = new Duration() },
            }));
        Assert.Equal(["schedule.fixed_rate"], await FieldsAsync(server, new Schedule { Task = Daily.Task, FixedRate = new Duration { Nanos = 1 } }));
        Schedule unknown = Daily;
        unknown.Task.Kind = "nobody-runs-it";
        await Refused.WithAsync(StatusCode.NotFound, Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = unknown }, TestServer.Call));
        Assert.Equal(["schedule.version"], await Refused.FieldsAsync(Client(server).UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = Daily }, TestServer.Call)));
        Assert.Equal(["count"], await Refused.FieldsAsync(Client(server).ListUpcomingAsync(new ListUpcomingRequest { Id = "daily", Count = 1001 }, TestServer.Call)));
        Assert.Equal(["page_size", "page_token"], await Refused.FieldsAsync(Client(server).ListSchedulesAsync(new ListSchedulesRequest { PageSize = 1001, PageToken = "x" }, TestServer.Call)));
    }

    [Fact(Timeout = 20_000)]
    public async Task What_was_read_is_changed_and_sent_back()
    {
        await using TestServer server = await StartAsync();
        Schedule read = (await Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = Daily }, TestServer.Call)).Schedule;
        Schedule changed = read.Clone();
        changed.Overlap = OverlapPolicy.Allow;
        Schedule updated = (await Client(server).UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = changed }, TestServer.Call)).Schedule;
        changed.Version = 2;
        Assert.Equal(changed, updated);
        RpcException refusal = await Refused.WithAsync(StatusCode.Aborted, Client(server).UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = read }, TestServer.Call));
        Assert.Equal(("VERSION_CONFLICT", "2"), (refusal.Detail<ErrorInfo>().Reason, refusal.Detail<ErrorInfo>().Metadata["version"]));
    }

    [Fact(Timeout = 20_000)]
    public async Task It_is_paused_triggered_resumed_and_deleted()
    {
        await using TestServer server = await StartAsync();
        Schedule hanging = Daily;
        hanging.Task.Kind = "gate";
        await Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = hanging }, TestServer.Call);
        Schedule paused = (await Client(server).PauseScheduleAsync(new PauseScheduleRequest { Id = "daily" }, TestServer.Call)).Schedule;
        Assert.Equal((true, null), (paused.Paused, paused.NextRunAt));
        Assert.Empty((await Client(server).ListUpcomingAsync(new ListUpcomingRequest { Id = "daily" }, TestServer.Call)).Times);
        TaskInfo task = (await Client(server).TriggerScheduleAsync(new TriggerScheduleRequest { Id = "daily" }, TestServer.Call)).Task;
        Assert.Equal("daily", task.ScheduleId);
        await server.Gate.NextStartAsync();
        Schedule resumed = (await Client(server).ResumeScheduleAsync(new ResumeScheduleRequest { Id = "daily" }, TestServer.Call)).Schedule;
        Assert.Equal((false, 1, task.Id), (resumed.Paused, resumed.Runs, resumed.LastTaskId));
        RepeatedTimes(resumed, await Client(server).ListUpcomingAsync(new ListUpcomingRequest { Id = "daily", Count = 3 }, TestServer.Call));
        Assert.Equal(1, (await Client(server).DeleteScheduleAsync(new DeleteScheduleRequest { Id = "daily", CancelTasks = true }, TestServer.Call)).Cancelled);
        Assert.Equal(TaskState.Cancelled, (await server.Client.WaitAsync(new WaitRequest { Id = task.Id }, TestServer.Call)).Task.State);

        ScheduleService.ScheduleServiceClient client = Client(server);
        await Refused.WithAsync(StatusCode.NotFound, client.GetScheduleAsync(new GetScheduleRequest { Id = "daily" }, TestServer.Call));
        await Refused.WithAsync(StatusCode.NotFound, client.PauseScheduleAsync(new PauseScheduleRequest { Id = "daily" }, TestServer.Call));
        await Refused.WithAsync(StatusCode.NotFound, client.ResumeScheduleAsync(new ResumeScheduleRequest { Id = "daily" }, TestServer.Call));
        await Refused.WithAsync(StatusCode.NotFound, client.TriggerScheduleAsync(new TriggerScheduleRequest { Id = "daily" }, TestServer.Call));
        await Refused.WithAsync(StatusCode.NotFound, client.DeleteScheduleAsync(new DeleteScheduleRequest { Id = "daily" }, TestServer.Call));
        await Refused.WithAsync(StatusCode.NotFound, client.ListUpcomingAsync(new ListUpcomingRequest { Id = "daily" }, TestServer.Call));
        RpcException refusal = await Refused.WithAsync(StatusCode.NotFound, client.UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = paused }, TestServer.Call));
        Assert.Equal("SCHEDULE_NOT_FOUND", refusal.Detail<ErrorInfo>().Reason);

        static void RepeatedTimes(Schedule schedule, ListUpcomingResponse upcoming) =>
            Assert.Equal(Enumerable.Range(0, 3).Select(day => schedule.NextRunAt.ToDateTimeOffset().AddDays(day)), upcoming.Times.Select(static time => time.ToDateTimeOffset()));
    }

    [Fact(Timeout = 20_000)]
    public async Task Schedules_are_listed_page_by_page_without_their_payloads()
    {
        await using TestServer server = await StartAsync(static options => options.Limits.Schedules = 5);
        for (int i = 0; i < 5; i++)
        {
            Schedule schedule = Daily;
            schedule.Id = $"s{i}";
            await Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = schedule }, TestServer.Call);
        }

        RpcException refusal = await Refused.WithAsync(StatusCode.ResourceExhausted, Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = Daily }, TestServer.Call));
        Assert.Equal("Limits:Schedules", refusal.Detail<ErrorInfo>().Metadata["setting"]);
        ListSchedulesResponse first = await Client(server).ListSchedulesAsync(new ListSchedulesRequest { PageSize = 3 }, TestServer.Call);
        ListSchedulesResponse second = await Client(server).ListSchedulesAsync(new ListSchedulesRequest { PageSize = 3, PageToken = first.NextPageToken }, TestServer.Call);
        Assert.Equal(["s0", "s1", "s2", "s3", "s4"], first.Schedules.Concat(second.Schedules).Select(static schedule => schedule.Id));
        Assert.All(first.Schedules, static schedule => Assert.True(schedule.Task.Payload.IsEmpty));
        Assert.Equal("", second.NextPageToken);
        var elsewhere = new CallOptions(new Metadata { { "grpcpool-namespace", "elsewhere" } }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Empty((await Client(server).ListSchedulesAsync(new ListSchedulesRequest(), elsewhere)).Schedules);
    }

    [Fact(Timeout = 20_000)]
    public async Task A_schedule_of_the_settings_that_was_deleted_does_not_come_back()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("grpcpool-schedule-");
        try
        {
            await using (TestServer server = await StartAsync(FromSettings))
            {
                Assert.Equal(["gone", "kept"], (await Client(server).ListSchedulesAsync(new ListSchedulesRequest(), TestServer.Call)).Schedules.Select(static schedule => schedule.Id));
                await Client(server).DeleteScheduleAsync(new DeleteScheduleRequest { Id = "gone" }, TestServer.Call);
            }

            await using TestServer restarted = await StartAsync(FromSettings);
            Schedule kept = Assert.Single((await Client(restarted).ListSchedulesAsync(new ListSchedulesRequest(), TestServer.Call)).Schedules);
            Assert.Equal(("kept", 1, true), (kept.Id, kept.Version, kept.FromSettings));
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        void FromSettings(GrpcPoolOptions options)
        {
            (options.Storage.Type, options.Storage.Path) = (StorageType.Sqlite, Path.Combine(folder.FullName, "pool.db"));
            options.Schedules["kept"] = new ScheduleOptions { FixedRate = TimeSpan.FromHours(1), Kind = "echo" };
            options.Schedules["gone"] = new ScheduleOptions { FixedRate = TimeSpan.FromHours(1), Kind = "echo" };
        }
    }

    private static Task<TestServer> StartAsync(Action<GrpcPoolOptions>? configure = null, FakeTimeProvider? time = null) => TestServer.StartAsync(configure, time ?? new FakeTimeProvider(Now));

    private static ScheduleService.ScheduleServiceClient Client(TestServer server) => new(server.Channel);

    private static Task<string[]> FieldsAsync(TestServer server, Schedule? schedule) =>
        Refused.FieldsAsync(Client(server).CreateScheduleAsync(new CreateScheduleRequest { Schedule = schedule }, TestServer.Call));
}
