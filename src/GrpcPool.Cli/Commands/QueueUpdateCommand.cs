using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool queue update</c></summary>
internal static class QueueUpdateCommand
{
    private const string Description = """
        Change what holds for a queue: only what is given. Nothing that runs is stopped, nothing that waits is dropped.
        With --reset it goes back to the settings first, in all but a pause.
        """;

    private const string Examples = """
        grpcpool queue update newsletters --limit 4 --weight 3
        grpcpool queue update newsletters --limit none --capacity 5000 --when-full wait
        grpcpool queue update newsletters --reset
        """;

    private const string NoLimit = "none";

    private static readonly FullQueuePolicy[] Policies = [FullQueuePolicy.Reject, FullQueuePolicy.Wait, FullQueuePolicy.DiscardOldest];

    private static readonly Option<int?> Limit = new("--limit")
    {
        Description = "How many slots its running tasks may take.",
        HelpName = $"number|{NoLimit}",
        CustomParser = ParseLimit,
    };

    private static readonly Option<int?> Weight = new("--weight") { Description = "Its share of the starts against the other queues, 1 to 1000.", HelpName = "number" };
    private static readonly Option<int?> Capacity = new("--capacity") { Description = "How many waiting tasks it may hold.", HelpName = "number" };
    private static readonly Option<FullQueuePolicy> WhenFull =
        Choice.Option("--when-full", "What becomes of a submission while it is full.", [.. Policies.Select(static policy => (PoolSheet.NameOf(policy), policy))]);

    private static readonly Option<bool> Reset = new("--reset") { Description = "Go back to the settings first." };

    public static Command Create()
    {
        var command = new ExemplifiedCommand("update", CommandGroups.Operating, Description, Examples) { QueueName.Argument, Limit, Weight, Capacity, WhenFull, Reset };
        command.Validators.Add(static result =>
        {
            if (!result.GetValue(Reset) && ((Option[])[Limit, Weight, Capacity, WhenFull]).All(option => result.GetResult(option) is null))
                result.AddError("Give at least one of --limit, --weight, --capacity, --when-full and --reset.");
        });
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new UpdateQueueRequest { Queue = result.GetValue(QueueName.Argument)!, WhenFull = result.GetValue(WhenFull), Reset = result.GetValue(Reset) };
        if (result.GetValue(Limit) is { } limit)
            request.Limit = limit;
        if (result.GetValue(Weight) is { } weight)
            request.Weight = weight;
        if (result.GetValue(Capacity) is { } capacity)
            request.Capacity = capacity;
        return QueueCommand.Show(result, (await client.Admin().UpdateQueueAsync(request, cancellationToken: interrupted).ConfigureAwait(false)).Queue);
    }

    private static int? ParseLimit(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (text == NoLimit)
            return 0;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) && limit > 0)
            return limit;
        result.AddError($"--limit {text} is no limit; give a number above 0, or {NoLimit}.");
        return null;
    }
}
