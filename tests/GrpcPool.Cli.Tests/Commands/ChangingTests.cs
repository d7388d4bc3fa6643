using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.Cli.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Cli.Tests.Commands;

public sealed class ChangingTests(Pool pool)
{
    private const int Timeout = 120_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Timeout)]
    public async Task Cancel_takes_ids_or_a_filter()
    {
        using var session = new Session(pool);
        for (int i = 0; i < 4; i++)
            await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = $"t{i}", Delay = Duration.FromTimeSpan(TimeSpan.FromHours(1)) }, Stop);
        Ended ids = await session.RunAsync("cancel", "t0", "nobody", "t1", "--reason", "enough");
        Ended dry = await session.RunAsync("cancel", "--kind", "echo", "--dry-run");
        Ended filter = await session.RunAsync("cancel", "--kind", "echo", "--output", "json");

        Assert.Equal(1, ids.Code);
        Assert.Matches(@"^t0 .*CANCELLED .* enough\nt1 .*CANCELLED .* enough\n$", ids.Output);
        Assert.Contains("'nobody'", ids.Errors, StringComparison.Ordinal);
        Assert.Equal(new Ended(0, "2 tasks would be cancelled.\n", ""), dry);
        Assert.Equal("2", JsonDocument.Parse(filter.Output).RootElement.GetProperty("cancelled").GetString());
        Assert.Equal(TaskState.Cancelled, (await session.Client.GetTask("t3").GetStatusAsync(cancellationToken: Stop)).State);
    }

    [Fact(Timeout = Timeout)]
    public async Task Cancel_tells_a_running_task_to_stop_and_says_why()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "deaf", Id = "deaf" }, Stop);
        Ended told = await session.RunAsync("cancel", "deaf", "--reason", "enough", "--force-after", "0s");

        Assert.Equal(0, told.Code);
        Assert.Matches(@"^deaf .*RUNNING .* told to stop: enough\n$", told.Output);
    }

    [Fact(Timeout = Timeout)]
    public async Task Retry_and_delete_take_tasks_that_have_ended()
    {
        using var session = new Session(pool);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "fail", Id = "bad" }, Stop);
        await session.Client.SubmitAsync(new TaskSpec { Kind = "echo", Id = "good" }, Stop);
        await session.Client.GetTask("bad").WaitAsync(Stop);
        await session.Client.GetTask("good").WaitAsync(Stop);
        Ended filter = await session.RunAsync("retry", "--state", "failed", "--dry-run");
        Ended ids = await session.RunAsync("retry", "good", "bad", "--output", "id");
        await session.Client.GetTask("bad").WaitAsync(Stop);
        Ended deleted = await session.RunAsync("delete", "bad");
        Ended again = await session.RunAsync("delete", "bad");

        Assert.Equal(new Ended(0, "1 task would run again.\n", ""), filter);
        Assert.Equal((1, "bad\n", 1), (ids.Code, ids.Output, ids.Errors.Count('\n')));
        Assert.Equal(new Ended(0, "bad deleted\n", ""), deleted);
        Assert.Equal((1, ""), (again.Code, again.Output));
    }
}
