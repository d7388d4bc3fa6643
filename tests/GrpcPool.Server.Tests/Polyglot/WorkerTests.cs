using GrpcPool.Client.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>The worker of each language, alone with the server.</summary>
public sealed class WorkerTests
{
    private const int TimeoutMs = 600_000;
    private const int Slots = 4;

    public static TheoryData<string> Names => [.. Language.Names];

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_worker_reports_results_progress_log_and_failures(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await StartServerAsync();
        using WorkerProgram worker = await WorkerProgram.StartAsync(language, server);

        TaskInfo reversed = await worker.WhileItRunsAsync(RunAsync(server, $"{name}.reverse", "live"));
        Assert.Equal(("evil", "text/plain"), (reversed.Result.ToStringUtf8(), reversed.ResultContentType));

        TaskInfo counted = await worker.WhileItRunsAsync(RunAsync(server, $"{name}.count", "3"));
        Assert.Equal(("3", 1d, "3 of 3"), (counted.Result.ToStringUtf8(), counted.Progress.Fraction, counted.Progress.Message));
        Assert.Equal("1\n2\n3\n", await server.ReadLogAsync(counted.Id));

        TaskInfo failed = await worker.WhileItRunsAsync(RunAsync(server, $"{name}.count", "many"));
        Assert.Equal((TaskState.Failed, FailureCode.InvalidPayload, false), (failed.State, failed.Failure.Code, failed.Failure.Retryable));
        Assert.NotEmpty(failed.Failure.Message);
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_worker_executes_as_many_at_a_time_as_it_has_slots(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await StartServerAsync();
        using WorkerProgram worker = await WorkerProgram.StartAsync(language, server);

        var ids = new List<string>();
        for (int i = 0; i < Slots + 1; i++)
            ids.Add((await server.SubmitAsync($"{name}.count", "36000")).Id);
        foreach (string id in ids[..Slots])
            await worker.WhileItRunsAsync(server.UntilAsync(id, static task => task.Progress is not null));
        TaskInfo last = await server.GetAsync(ids[^1]);
        Assert.Equal(TaskState.Queued, last.State);

        await server.CancelAsync(ids[0]);
        Assert.Equal(TaskState.Cancelled, (await worker.WhileItRunsAsync(server.EndOfAsync(ids[0]))).State);
        await worker.WhileItRunsAsync(server.UntilAsync(last.Id, static task => task.Progress is not null));
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_worker_that_is_terminated_finishes_what_it_has(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await StartServerAsync();
        using WorkerProgram worker = await WorkerProgram.StartAsync(language, server);
        TaskInfo task = await server.SubmitAsync($"{name}.count", "20");
        await worker.WhileItRunsAsync(server.UntilAsync(task.Id, static task => task.Progress is not null));

        await worker.TerminateAsync();
        (int exitCode, string output) = await worker.EndAsync();
        Assert.Equal((0, ""), (exitCode, output));
        AssertUndisturbed(await server.EndOfAsync(task.Id), "20");
        TaskInfo late = await server.SubmitAsync($"{name}.reverse", "");
        Assert.Equal((TaskState.Queued, WaitingReason.NoWorker), ((await server.GetAsync(late.Id)).State, (await server.GetAsync(late.Id)).WaitingReason));
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_worker_whose_connection_is_cut_goes_on_with_its_task(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await StartServerAsync("Workers:ResumeGrace=00:00:20");
        await using var proxy = new TcpProxy(server.Address);
        using WorkerProgram worker = await WorkerProgram.StartAsync(language, server, proxy.Address);
        TaskInfo task = await server.SubmitAsync($"{name}.count", "20");
        await worker.WhileItRunsAsync(server.UntilAsync(task.Id, static task => task.Progress is not null));

        proxy.Cut();
        AssertUndisturbed(await worker.WhileItRunsAsync(server.EndOfAsync(task.Id)), "20");
        Assert.Equal(string.Concat(Enumerable.Range(1, 20).Select(static i => $"{i}\n")), await server.ReadLogAsync(task.Id));
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_worker_that_comes_back_after_the_grace_runs_its_tasks_again(string name)
    {
        Language language = await Language.RequireAsync(name);
        using PolyglotServer server = await StartServerAsync("Workers:ResumeGrace=00:00:00.2");
        await using var proxy = new TcpProxy(server.Address);
        using WorkerProgram worker = await WorkerProgram.StartAsync(language, server, proxy.Address);
        string[] ids = [(await server.SubmitAsync($"{name}.count", "20")).Id, (await server.SubmitAsync($"{name}.count", "20")).Id];
        foreach (string id in ids)
            await worker.WhileItRunsAsync(server.UntilAsync(id, static task => task.Progress is not null));

        proxy.Lead(null);
        foreach (string id in ids)
            await worker.WhileItRunsAsync(server.UntilAsync(id, static task => task.Losses == 1));
        proxy.Lead(server.Address);
        foreach (string id in ids)
        {
            TaskInfo ended = await worker.WhileItRunsAsync(server.EndOfAsync(id));
            Assert.Equal((TaskState.Succeeded, 1, "20"), (ended.State, ended.Losses, ended.Result.ToStringUtf8()));
        }
    }

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_worker_goes_on_with_its_task_while_the_server_is_killed_and_starts_again(string name)
    {
        Language language = await Language.RequireAsync(name);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("grpcpool-polyglot-");
        string[] storage = ["Storage:Type=sqlite", $"Storage:Path={folder.FullName}/pool.db"];
        PolyglotServer server = await StartServerAsync(storage);
        try
        {
            await using var proxy = new TcpProxy(server.Address);
            using WorkerProgram worker = await WorkerProgram.StartAsync(language, server, proxy.Address);
            TaskInfo task = await server.SubmitAsync($"{name}.count", "30");
            await worker.WhileItRunsAsync(server.UntilAsync(task.Id, static task => task.Progress is not null));

            server.Dispose();
            proxy.Lead(null);
            server = await StartServerAsync(storage);
            proxy.Lead(server.Address);
            AssertUndisturbed(await worker.WhileItRunsAsync(server.EndOfAsync(task.Id)), "30");
            Assert.Equal("cba", (await worker.WhileItRunsAsync(RunAsync(server, $"{name}.reverse", "abc"))).Result.ToStringUtf8());
        }
        finally
        {
            server.Dispose();
            folder.Delete(recursive: true);
        }
    }

    /// <summary>It has run once, from its start to its end.</summary>
    private static void AssertUndisturbed(TaskInfo ended, string result)
    {
        Assert.Equal((TaskState.Succeeded, 1, 0), (ended.State, ended.Attempt, ended.Losses));
        Assert.Equal(result, ended.Result.ToStringUtf8());
        Assert.Single(ended.Attempts);
    }

    private static Task<PolyglotServer> StartServerAsync(params string[] settings) => PolyglotServer.StartAsync(["UndeclaredKinds=Queue", .. settings]);

    private static async Task<TaskInfo> RunAsync(PolyglotServer server, string kind, string payload) =>
        await server.EndOfAsync((await server.SubmitAsync(kind, payload)).Id);
}
