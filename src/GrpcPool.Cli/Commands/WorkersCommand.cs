using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool workers</c></summary>
internal static class WorkersCommand
{
    private const string Description = "Show the workers of this namespace, or tell one to finish and leave.";

    private const string Examples = """
        grpcpool workers
        grpcpool workers list --output json
        grpcpool workers drain 019ac3f2b0d17c6e9f3a5d2c4b1e0f7a
        """;

    private const int PageMax = 1000;

    private static readonly Argument<string> Worker = new("worker") { Description = "The worker's id, as the list shows it." };

    public static Command Create()
    {
        Command list = new ExemplifiedCommand("list", CommandGroups.Operating, "Show the workers, the first come first.", "grpcpool workers list\ngrpcpool workers list --output id").AskServer(ListAsync);
        Command drain = new ExemplifiedCommand(
            "drain", CommandGroups.Operating, "Tell one worker to finish what it has and to leave. It gets nothing more.", "grpcpool workers drain 019ac3f2b0d17c6e9f3a5d2c4b1e0f7a") { Worker }.AskServer(DrainAsync);
        return new ExemplifiedCommand("workers", CommandGroups.Operating, Description, Examples) { list, drain }.AskServer(ListAsync);
    }

    private static async Task<int> ListAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var workers = new List<WorkerInfo>();
        var request = new ListWorkersRequest { PageSize = PageMax };
        do
        {
            ListWorkersResponse page = await client.Admin().ListWorkersAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
            workers.AddRange(page.Workers);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Write(OutputOption.Read(result), workers);
        return ExitCodes.Ended;
    }

    private static async Task<int> DrainAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new DrainWorkerRequest { WorkerId = result.GetValue(Worker)! };
        Write(OutputOption.Read(result), [(await client.Admin().DrainWorkerAsync(request, cancellationToken: interrupted).ConfigureAwait(false)).Worker]);
        return ExitCodes.Ended;
    }

    private static void Write(OutputFormat format, IReadOnlyCollection<WorkerInfo> workers) => Console.Out.Write(format switch
    {
        OutputFormat.Json => string.Concat(workers.Select(static worker => $"{TaskOutput.ToJson(worker)}\n")),
        OutputFormat.Id => string.Concat(workers.Select(static worker => $"{worker.WorkerId}\n")),
        _ => PoolSheet.DrawWorkers(workers),
    });
}
