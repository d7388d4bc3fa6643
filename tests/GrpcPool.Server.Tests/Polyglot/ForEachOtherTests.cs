using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>Programs of all languages at one server: each submits what each executes.</summary>
public sealed class ForEachOtherTests
{
    private const int TimeoutMs = 600_000;

    public static TheoryData<string> Names => [.. Language.Names];

    [Theory(Timeout = TimeoutMs)]
    [MemberData(nameof(Names))]
    public async Task A_client_submits_watches_and_cancels_what_the_workers_of_all_languages_execute(string name)
    {
        Language client = await Language.RequireAsync(name);
        using PolyglotServer server = await PolyglotServer.StartAsync("UndeclaredKinds=Queue");
        var workers = new List<WorkerProgram>();
        try
        {
            foreach (string executing in Language.Names)
            {
                WorkerProgram worker = await WorkerProgram.StartAsync(await Language.RequireAsync(executing), server);
                workers.Add(worker);
                await worker.WhileItRunsAsync(PassAsync(client, executing, server));
            }
        }
        finally
        {
            workers.ForEach(static worker => worker.Dispose());
        }
    }

    private static async Task<TaskInfo> PassAsync(Language client, string executing, PolyglotServer server)
    {
        string counted = await client.RunClientAsync(server, "submit", $"{executing}.count", "5");
        string seen = await client.RunClientAsync(server, "watch", counted);
        Assert.EndsWith("result: 5", seen, StringComparison.Ordinal);

        string endless = await client.RunClientAsync(server, "submit", $"{executing}.count", "36000");
        await server.UntilAsync(endless, static task => task.Progress is not null);
        await client.RunClientAsync(server, "cancel", endless);
        Assert.Contains("TASK_STATE_CANCELLED", await client.RunClientAsync(server, "watch", endless), StringComparison.Ordinal);
        return await server.EndOfAsync(endless);
    }
}
