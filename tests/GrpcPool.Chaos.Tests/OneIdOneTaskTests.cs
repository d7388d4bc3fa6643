using GrpcPool.Chaos.Faults;
using GrpcPool.Chaos.Histories;
using GrpcPool.Client;
using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Tests;

/// <summary>The same id is the same task, in a database, whatever happens between client and server.</summary>
public sealed class OneIdOneTaskTests
{
    private const int TimeoutMs = 60_000;

    private static readonly TaskSpec Task = new() { Id = "same", Kind = HandlerRecord.RecordKind };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = TimeoutMs)]
    public async Task A_thousand_equal_submissions_at_a_time_are_one_task()
    {
        await using var site = new Site();
        await site.StartAsync(Stop);
        SubmitResponse[] answers = await System.Threading.Tasks.Task.WhenAll(Enumerable.Range(0, 1000).Select(
            async _ => await site.Client.SubmitAsync(new SubmitRequest { Task = Task }, cancellationToken: Stop)));
        Assert.Single(answers, static answer => answer.Created);
        await AssertRanOnceAsync(site);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_submission_whose_answer_was_lost_is_repeated_without_a_second_task()
    {
        await using var site = new Site();
        await site.StartAsync(Stop);
        await using var proxy = new TcpProxy(site.Address);
        using var client = new GrpcPoolClient(new GrpcPoolClientOptions { Address = proxy.Address });
        await client.Service.CountAsync(new CountRequest(), cancellationToken: Stop);

        using var changes = site.Client.Watch(new WatchRequest { Filter = new TaskFilter(), SkipSnapshot = true }, cancellationToken: Stop);
        Assert.True(await changes.ResponseStream.MoveNext(Stop));
        proxy.HoldAnswers();
        Task<TaskHandle> submission = client.SubmitAsync(Task, Stop);
        Assert.True(await changes.ResponseStream.MoveNext(Stop));
        Assert.False(submission.IsCompleted);
        proxy.Cut();
        proxy.Thaw();

        Assert.Equal(TaskState.Succeeded, (await (await submission).WaitAsync(Stop)).State);
        await AssertRanOnceAsync(site);
    }

    private static async Task AssertRanOnceAsync(Site site)
    {
        await site.Client.WaitAsync(new WaitRequest { Id = Task.Id }, cancellationToken: Stop);
        Assert.Equal([Task.Id], (await site.ListAsync(Stop)).Select(static task => task.Id));
        Assert.Equal((1, 1), site.Record.Read()[Task.Id]);
    }
}
