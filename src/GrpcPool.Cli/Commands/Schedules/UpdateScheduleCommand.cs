using System.CommandLine;
using Google.Protobuf;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule update</c></summary>
internal static class UpdateScheduleCommand
{
    private const string Description = "Change a schedule in place: what is given replaces what was, and all else stays. Nobody else's change is lost by it.";

    private const string Examples = """
        grpcpool schedule update daily --cron "0 6 * * *"
        grpcpool schedule update daily --overlap queue-one --catch-up one
        grpcpool schedule update daily --every 1h --payload again --queue slow
        """;

    private static readonly Option<string?> Kind = new("--kind") { Description = "Which handler runs its tasks.", HelpName = "kind" };
    private static readonly Option<string?> Queue = new("--queue") { Description = "The queue in which its tasks wait.", HelpName = "name" };
    private static readonly Option<string?> Payload = new("--payload") { Description = "The payload of its tasks.", HelpName = "text" };

    public static Command Create()
    {
        ExemplifiedCommand command = ScheduleCommand.Sub("update", Description, Examples);
        command.Add(ScheduleCommand.Id);
        TimetableOptions.AddTo(command, needed: false);
        command.Add(Kind);
        command.Add(Queue);
        command.Add(Payload);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var request = new GetScheduleRequest { Id = result.GetValue(ScheduleCommand.Id) };
        Schedule schedule = (await client.Schedules().GetScheduleAsync(request, cancellationToken: interrupted).ConfigureAwait(false)).Schedule;
        TimetableOptions.Apply(result, schedule);
        schedule.Task.Kind = result.GetValue(Kind) ?? schedule.Task.Kind;
        schedule.Task.Queue = result.GetValue(Queue) ?? schedule.Task.Queue;
        schedule.Task.Payload = result.GetValue(Payload) is { } payload ? ByteString.CopyFromUtf8(payload) : schedule.Task.Payload;
        UpdateScheduleResponse updated = await client.Schedules().UpdateScheduleAsync(new UpdateScheduleRequest { Schedule = schedule }, cancellationToken: interrupted).ConfigureAwait(false);
        ScheduleOutput.Write(OutputOption.Read(result), [updated.Schedule]);
        return ExitCodes.Ended;
    }
}
