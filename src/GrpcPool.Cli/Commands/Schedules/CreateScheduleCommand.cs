using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Input;
using GrpcPool.Cli.Output;
using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule create</c></summary>
internal static class CreateScheduleCommand
{
    private const string Description = "Make a schedule and print it. The same again is harmless; another one under its id is refused: update it.";

    private const string Examples = """
        grpcpool schedule create nightly echo hello --cron "30 2 * * *" --zone Europe/Berlin --catch-up one
        grpcpool schedule create poll echo --every 1m --start-jitter 10s --label team=blue
        grpcpool schedule create sweep sleep '{"seconds": 2}' --pause 10m --max-attempts 3
        grpcpool schedule create once-a-week echo --cron @weekly --overlap cancel-running --paused
        """;

    private static readonly Option<bool> Paused = new("--paused") { Description = "It begins paused." };

    public static Command Create()
    {
        ExemplifiedCommand command = ScheduleCommand.Sub("create", Description, Examples);
        command.Add(ScheduleCommand.Id);
        SpecOptions.AddTo(command, scheduled: true);
        TimetableOptions.AddTo(command, needed: true);
        command.Add(Paused);
        return command.AskServer(RunAsync);
    }

    private static async Task<int> RunAsync(ParseResult result, GrpcPoolClient client, CancellationToken interrupted)
    {
        var schedule = new Schedule
        {
            Id = result.GetValue(ScheduleCommand.Id),
            Task = await SpecOptions.ReadAsync(result, interrupted).ConfigureAwait(false),
            Paused = result.GetValue(Paused),
        };
        TimetableOptions.Apply(result, schedule);
        CreateScheduleResponse created = await client.Schedules().CreateScheduleAsync(new CreateScheduleRequest { Schedule = schedule }, cancellationToken: interrupted).ConfigureAwait(false);
        ScheduleOutput.Write(OutputOption.Read(result), [created.Schedule]);
        return ExitCodes.Ended;
    }
}
