using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool list</c></summary>
internal static class ListCommand
{
    private const string Description = "List tasks, the newest submitted first.";

    private const string Examples = """
        grpcpool list
        grpcpool list --state running,retrying --queue mail
        grpcpool list --label team=blue --submitted-after 2h --limit 1000
        grpcpool list --state failed --output id
        """;

    private const int PageMax = 1000;

    private static readonly Option<int> Limit = new("--limit") { Description = "How many tasks to list at most.", HelpName = "number", DefaultValueFactory = _ => 100 };

    public static Command Create()
    {
        var command = new ExemplifiedCommand("list", CommandGroups.Watching, Description, Examples);
        FilterOptions.AddTo(command);
        command.Add(Limit);
        Limit.Validators.Add(Check);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new ListRequest { Filter = FilterOptions.Read(result) };
        bool isFirst = true;
        int left = result.GetValue(Limit);
        do
        {
            request.PageSize = Math.Min(left, PageMax);
            ListResponse page = await client.Service.ListAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
            TaskOutput.Write(OutputOption.Read(result), page.Tasks, isFirst);
            (isFirst, left, request.PageToken) = (false, left - page.Tasks.Count, page.NextPageToken);
        }
        while (left > 0 && request.PageToken.Length > 0);
        return ExitCodes.Ended;
    }

    private static void Check(OptionResult result)
    {
        if (result.Tokens is [var token] && !(int.TryParse(token.Value, CultureInfo.InvariantCulture, out int limit) && limit > 0))
            result.AddError($"--limit must be a whole number from 1 to {int.MaxValue}.");
    }
}
