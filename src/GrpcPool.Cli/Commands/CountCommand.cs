using System.CommandLine;
using System.Globalization;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool count</c></summary>
internal static class CountCommand
{
    private const string Description = """
        Count tasks, all or those that match. By labels, times, serial key or parent the server stops at 100,000, shown as "100000 or more".
        """;

    private const string Examples = """
        grpcpool count
        grpcpool count --by state
        grpcpool count --by queue --state queued,retrying
        """;

    private const string StatePrefix = "TASK_STATE_";

    private static readonly Option<CountGroup> By =
        Choice.Option("--by", "Divide the count.", ("state", CountGroup.State), ("queue", CountGroup.Queue), ("kind", CountGroup.Kind));

    public static Command Create()
    {
        var command = new ExemplifiedCommand("count", CommandGroups.Watching, Description, Examples);
        FilterOptions.AddTo(command);
        command.Add(By);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new CountRequest { Filter = FilterOptions.Read(result), GroupBy = result.GetValue(By) };
        CountResponse count = await client.Service.CountAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
        if (OutputOption.Read(result) == OutputFormat.Json)
            Console.Out.WriteLine(TaskOutput.ToJson(count));
        else
            Console.Out.Write(Draw(count, request.GroupBy != CountGroup.Unspecified));
        return ExitCodes.Ended;
    }

    private static string Draw(CountResponse count, bool isDivided)
    {
        string total = $"{count.Total.ToString(CultureInfo.InvariantCulture)}{(count.Exact ? "" : " or more")}";
        if (!isDivided)
            return $"{total}\n";

        var columns = new TextColumns();
        foreach (GroupCount group in count.Groups)
            columns.Add(group.Key.Replace(StatePrefix, "", StringComparison.Ordinal), group.Count.ToString(CultureInfo.InvariantCulture));
        columns.Add("total", total);
        return columns.ToString();
    }
}
