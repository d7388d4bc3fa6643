using System.CommandLine;
using GrpcPool.Cli.Connection;
using GrpcPool.Cli.Output;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Schedules;

/// <summary><c>grpcpool schedule pause</c> and <c>grpcpool schedule resume</c></summary>
internal static class PauseScheduleCommand
{
    private const string Description = "Stop schedules until they are resumed. Their tasks stay as they are.";
    private const string ResumeDescription = "Let paused schedules go on with their next due time; what passed meanwhile is not made up for.";

    private const string Examples = """
        grpcpool schedule pause daily
        grpcpool schedule list --output id | xargs --no-run-if-empty grpcpool schedule pause
        """;

    private const string ResumeExamples = """
        grpcpool schedule resume daily
        grpcpool schedule list --output id | xargs --no-run-if-empty grpcpool schedule resume
        """;

    public static Command Create() => Create("pause", Description, Examples, static async (client, id, interrupted) =>
        (await client.PauseScheduleAsync(new PauseScheduleRequest { Id = id }, cancellationToken: interrupted).ConfigureAwait(false)).Schedule);

    public static Command CreateResume() => Create("resume", ResumeDescription, ResumeExamples, static async (client, id, interrupted) =>
        (await client.ResumeScheduleAsync(new ResumeScheduleRequest { Id = id }, cancellationToken: interrupted).ConfigureAwait(false)).Schedule);

    private static Command Create(
        string name, string description, string examples, Func<ScheduleService.ScheduleServiceClient, string, CancellationToken, Task<Schedule>> call)
    {
        ExemplifiedCommand command = ScheduleCommand.Sub(name, description, examples);
        command.Add(ScheduleCommand.Ids);
        return command.AskServer((result, client, interrupted) => EachTask.CallAsync(
            result,
            result.GetValue(ScheduleCommand.Ids)!,
            async id => ScheduleOutput.Write(OutputOption.Read(result), [await call(client.Schedules(), id, interrupted).ConfigureAwait(false)], heading: false)));
    }
}
