using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.V1;
using ScheduleClient = GrpcPool.V1.ScheduleService.ScheduleServiceClient;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary>The commands that change each schedule of a list: <c>grpcpool schedule pause</c>, <c>resume</c> and <c>delete</c>.</summary>
internal static class SomeSchedulesCommands
{
    private static readonly Option<bool> CancelTasks = new("--cancel-tasks") { Description = "Cancel their tasks that wait or run." };

    /// <summary>Changes a schedule, and returns what is printed of it.</summary>
    private delegate Task<string> Change(ParseResult result, ScheduleClient client, string id, CancellationToken interrupted);

    public static Command CreatePause() => Create("pause", "Stop schedules until they are resumed. Their tasks stay as they are.", "", static async (result, client, id, interrupted) =>
        Draw(result, (await client.PauseScheduleAsync(new PauseScheduleRequest { Id = id }, cancellationToken: interrupted).ConfigureAwait(false)).Schedule));

    public static Command CreateResume() => Create("resume", "Let paused schedules go on with their next due time; what passed meanwhile is not made up for.", "", static async (result, client, id, interrupted) =>
        Draw(result, (await client.ResumeScheduleAsync(new ResumeScheduleRequest { Id = id }, cancellationToken: interrupted).ConfigureAwait(false)).Schedule));

    public static Command CreateDelete() =>
        Create("delete", "Forget schedules, for good: they fire no more. Their tasks stay, unless they shall be cancelled.", " --cancel-tasks", DeleteAsync, CancelTasks);

    private static async Task<string> DeleteAsync(ParseResult result, ScheduleClient client, string id, CancellationToken interrupted)
    {
        var request = new DeleteScheduleRequest { Id = id, CancelTasks = result.GetValue(CancelTasks) };
        DeleteScheduleResponse deleted = await client.DeleteScheduleAsync(request, cancellationToken: interrupted).ConfigureAwait(false);
        return OutputOption.Read(result) switch
        {
            OutputFormat.Json => $"{TaskOutput.ToJson(deleted)}\n",
            OutputFormat.Id => $"{id}\n",
            _ => request.CancelTasks ? $"{id} deleted, {Wording.Count(deleted.Cancelled, "task")} cancelled\n" : $"{id} deleted\n",
        };
    }

    private static string Draw(ParseResult result, Schedule schedule) => ScheduleOutput.Draw(OutputOption.Read(result), [schedule], heading: false);

    private static Command Create(string name, string description, string further, Change change, params Option[] options)
    {
        string examples = $"""
            grpcpool schedule {name} daily
            grpcpool schedule list --output id | xargs --no-run-if-empty grpcpool schedule {name}{further}
            """;
        ExemplifiedCommand command = ScheduleCommand.Sub(name, description, examples, ScheduleCommand.Ids, options);
        return command.AskServer((result, client, interrupted) => EachTask.CallAsync(
            result, result.GetValue(ScheduleCommand.Ids)!, async id => Console.Out.Write(await change(result, client.Schedules(), id, interrupted).ConfigureAwait(false))));
    }
}
