using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>The worker of a language, at work for a server.</summary>
internal sealed class WorkerProgram : IDisposable
{
    private readonly Script _script;

    private WorkerProgram(Script script) => _script = script;

    /// <summary>Starts a worker and waits until the server knows it, with a task that it has executed.</summary>
    /// <param name="language">Its language.</param>
    /// <param name="server">The server, which must queue tasks of kinds that are not known yet.</param>
    /// <param name="way">The address by which the worker reaches it; null: the server's own.</param>
    public static async Task<WorkerProgram> StartAsync(Language language, PolyglotServer server, Uri? way = null)
    {
        var worker = new WorkerProgram(Script.Start(language.Name, language.Worker[0], language.Worker[1..], PolyglotServer.EnvironmentOf(way ?? server.Address)));
        try
        {
            TaskInfo first = await server.SubmitAsync($"{language.Name}.reverse", "abc");
            await worker.WhileItRunsAsync(server.EndOfAsync(first.Id));
            return worker;
        }
        catch
        {
            worker.Dispose();
            throw;
        }
    }

    public Task TerminateAsync() => _script.TerminateAsync();

    public Task<(int ExitCode, string Output)> EndAsync() => _script.EndAsync();

    public Task<T> WhileItRunsAsync<T>(Task<T> work) => _script.WhileItRunsAsync(work);

    public void Dispose() => _script.Dispose();
}
