using System.CommandLine;
using System.Globalization;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands;

/// <summary><c>grpcpool resize</c></summary>
internal static class ResizeCommand
{
    private const string Description = """
        Change how many slots the server's own handlers share, at once and for its next starts too.
        Nothing that runs is stopped: a smaller pool starts nothing until less than its new size is taken.
        """;

    private const string Examples = """
        grpcpool resize 64
        """;

    private static readonly Argument<int> Slots = new("slots") { Description = "How many, 1 to 100000." };

    public static Command Create() => new ExemplifiedCommand("resize", CommandGroups.Operating, Description, Examples) { Slots }.AskServer(RunAsync);

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        ResizePoolResponse resized = await client.Admin().ResizePoolAsync(new ResizePoolRequest { Slots = result.GetValue(Slots) }, cancellationToken: interrupted).ConfigureAwait(false);
        Console.Out.WriteLine(OutputOption.Read(result) switch
        {
            OutputFormat.Json => TaskOutput.ToJson(resized),
            OutputFormat.Id => resized.Slots.ToString(CultureInfo.InvariantCulture),
            _ => Describe(resized),
        });
        return ExitCodes.Ended;
    }

    private static string Describe(ResizePoolResponse resized)
    {
        string now = $"{Wording.Count(resized.Slots, "slot")}, before {PoolSheet.Number(resized.SlotsBefore)}; {PoolSheet.Number(resized.SlotsInUse)} taken";
        return resized.SlotsInUse > resized.Slots ? $"{now}: nothing starts until enough of them are free." : $"{now}.";
    }
}
