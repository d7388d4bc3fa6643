using System.Text.Json;
using GrpcPool.Cli.Tests.Infrastructure;

namespace GrpcPool.Cli.Tests.Commands;

public sealed class ScheduleTests(Pool pool)
{
    private const int Timeout = 120_000;

    [Fact(Timeout = Timeout)]
    public async Task A_schedule_is_created_listed_shown_and_changed()
    {
        using var session = new Session(pool);
        Ended created = await session.RunAsync("schedule", "create", "nightly", "echo", "hello", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--overlap", "queue-one", "--label", "team=blue");
        Ended again = await session.RunAsync("schedule", "create", "nightly", "echo", "other", "--every", "1h");
        Ended updated = await session.RunAsync("schedule", "update", "nightly", "--every", "1h", "--payload", "other", "--output", "json");
        Ended ids = await session.RunAsync("schedule", "list", "--output", "id");
        Ended listed = await session.RunAsync("schedule", "list");
        Ended shown = await session.RunAsync("schedule", "show", "nightly");

        Assert.Equal((0, ""), (created.Code, created.Errors));
        Assert.Matches(@"^ID +WHEN +KIND +NEXT .*\nnightly +30 2 \* \* \* Europe/Berlin +echo +20\d\d-", created.Output);
        Assert.Equal((1, ""), (again.Code, again.Output));
        Assert.Contains("another definition", again.Errors, StringComparison.Ordinal);
        JsonElement json = JsonDocument.Parse(updated.Output).RootElement;
        Assert.Equal(("2", "3600s", "OVERLAP_POLICY_QUEUE_ONE"), (json.GetProperty("version").GetString(), json.GetProperty("fixedRate").GetString(), json.GetProperty("overlap").GetString()));
        Assert.Equal(new Ended(0, "nightly\n", ""), ids);
        Assert.Matches(@"\nnightly +every 01:00:00 +echo ", listed.Output);
        Assert.Matches(@"version +2\n[\s\S]*overlap +queue-one\n[\s\S]*labels +team=blue\n[\s\S]*payload +other\n", shown.Output);
    }

    [Fact(Timeout = Timeout)]
    public async Task It_is_paused_triggered_resumed_and_deleted()
    {
        using var session = new Session(pool);
        await session.RunAsync("schedule", "create", "daily", "echo", "hello", "--cron", "@daily");
        Ended paused = await session.RunAsync("schedule", "pause", "daily", "nobody");
        Ended none = await session.RunAsync("schedule", "upcoming", "daily");
        Ended triggered = await session.RunAsync("schedule", "trigger", "daily", "--output", "id");
        await session.Client.GetTask(triggered.Output.Trim()).WaitAsync(TestContext.Current.CancellationToken);
        Ended tasks = await session.RunAsync("list", "--schedule", "daily", "--output", "id");
        Ended resumed = await session.RunAsync("schedule", "resume", "daily", "--output", "json");
        Ended upcoming = await session.RunAsync("schedule", "upcoming", "daily", "--count", "3");
        Ended deleted = await session.RunAsync("schedule", "delete", "daily", "--cancel-tasks");
        Ended gone = await session.RunAsync("schedule", "show", "daily");

        Assert.Equal(1, paused.Code);
        Assert.Matches(@"^daily .* paused\n$", paused.Output);
        Assert.Contains("'nobody'", paused.Errors, StringComparison.Ordinal);
        Assert.Equal(new Ended(0, "", ""), none);
        Assert.StartsWith("daily:", triggered.Output, StringComparison.Ordinal);
        Assert.Equal(triggered.Output, tasks.Output);
        Assert.Equal("1", JsonDocument.Parse(resumed.Output).RootElement.GetProperty("runs").GetString());
        Assert.Equal(3, upcoming.Output.Count('\n'));
        Assert.Equal(new Ended(0, "daily deleted, 0 tasks cancelled\n", ""), deleted);
        Assert.Equal((1, ""), (gone.Code, gone.Output));
    }

    [Theory(Timeout = Timeout)]
    [InlineData]
    [InlineData("create", "x", "echo")]
    [InlineData("create", "x", "echo", "--cron", "* * * * *", "--every", "1m")]
    [InlineData("create", "x", "echo", "--every", "1m", "--zone", "Europe/Berlin")]
    [InlineData("create", "x", "echo", "--every", "1m", "--overlap", "dance")]
    [InlineData("create", "x", "echo", "--cron", "61 * * * *")]
    [InlineData("upcoming", "x", "--count", "1001")]
    public async Task Wrong_usage_ends_with_2(params string[] arguments)
    {
        using var session = new Session(pool);
        Ended ended = await session.RunAsync(["schedule", .. arguments]);
        Assert.Equal((2, ""), (ended.Code, ended.Output));
    }
}
