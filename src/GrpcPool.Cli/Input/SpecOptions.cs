using System.CommandLine;
using System.CommandLine.Parsing;
using Google.Protobuf;
using GrpcPool.V1;
using Duration = Google.Protobuf.WellKnownTypes.Duration;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace GrpcPool.Cli.Input;

/// <summary>The options that make a task: a kind, a payload, and all that can be said of it.</summary>
internal static class SpecOptions
{
    private static readonly Argument<string> Kind = new("kind") { Description = "Which handler runs the task, such as echo." };
    private static readonly Option<string?> Id = new("--id") { Description = "The task's id. Submitting the same again is harmless. By default a new one.", HelpName = "id" };
    private static readonly Option<string?> Queue = new("--queue") { Description = "The queue it waits in, \"default\" by default.", HelpName = "name" };
    private static readonly Option<int> Priority = new("--priority") { Description = "Higher starts first within a queue: -100 to 100, 0 by default.", HelpName = "number" };
    private static readonly Option<string?> SerialKey = new("--serial-key") { Description = "Tasks of the same key run one at a time, in order.", HelpName = "key" };
    private static readonly Option<string?> UniqueKey = new("--unique-key") { Description = "Of the tasks with this key at most one has not ended.", HelpName = "key" };
    private static readonly Option<ConflictPolicy> OnConflict = Choice.Option(
        "--on-conflict",
        "What happens where a task with the unique key has not ended, use-existing by default.",
        ("use-existing", ConflictPolicy.UseExisting),
        ("reject", ConflictPolicy.Reject),
        ("replace", ConflictPolicy.Replace));
    private static readonly Option<int?> Slots = new("--slots") { Description = "How many slots an attempt takes, 1 by default.", HelpName = "number" };
    private static readonly Option<string[]> After = new("--after")
    {
        Description = "Start after the end of this task; may be repeated.",
        HelpName = "id",
        AllowMultipleArgumentsPerToken = false,
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<AfterPolicy> AfterPolicy = Choice.Option(
        "--after-policy",
        "What happens where one of --after ends without success, cancel by default.",
        ("cancel", V1.AfterPolicy.Cancel),
        ("run-anyway", V1.AfterPolicy.RunAnyway));
    private static readonly Option<Duration?> Delay = Spans.Option("--delay", "Start after this time, such as 10m.");
    private static readonly Option<Timestamp?> RunAt = Times.Option("--run-at", "Start not before this time, such as 2026-03-01T08:00.");
    private static readonly Option<Duration?> StartTimeout = Spans.Option("--start-timeout", "Ends as expired when not started within this time.");
    private static readonly Option<Duration?> RunTimeout = Spans.Option("--run-timeout", "The limit of one attempt.");
    private static readonly Option<Duration?> TotalTimeout = Spans.Option("--total-timeout", "The limit from becoming due to the end, retries included.");
    private static readonly Option<string?> Parent = new("--parent") { Description = "The id of the task on whose behalf this one is submitted.", HelpName = "id" };
    private static readonly Option<string?> Group = new("--group") { Description = "A name that many tasks share, to find them by.", HelpName = "name" };
    private static readonly Option<Duration?> Retention = Spans.Option("--retention", "How long the finished task is kept.");
    private static readonly Option<string?> ContentType = new("--content-type") { Description = "The payload's media type, handed to the handler.", HelpName = "type" };
    private static readonly Option<KeyValuePair<string, string>[]> Labels = Pairs.Option("--label", "team=blue", "A label to find the task by; may be repeated.");
    private static readonly Option<KeyValuePair<string, string>[]> Headers = Pairs.Option("--header", "tenant=7", "A header for the handler alone; may be repeated.");

    /// <summary>Adds them to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="scheduled">Whether a schedule says which id each task has and when it starts.</param>
    public static void AddTo(Command command, bool scheduled = false)
    {
        command.Add(Kind);
        Payload.AddTo(command);
        Option[] options = scheduled
            ? [Queue, Priority, SerialKey, Slots, StartTimeout, RunTimeout, TotalTimeout]
            : [Id, Queue, Priority, SerialKey, UniqueKey, OnConflict, After, AfterPolicy, Slots, Delay, RunAt, StartTimeout, RunTimeout, TotalTimeout];
        foreach (Option option in options)
            command.Add(option);
        RetryOptions.AddTo(command);
        options = [Labels, Headers, Parent, Group, Retention, ContentType];
        foreach (Option option in options)
            command.Add(option);
        command.Validators.Add(RefuseTwoStarts);
    }

    /// <summary>The task that is asked for.</summary>
    /// <exception cref="IOException">The payload cannot be read.</exception>
    public static async Task<TaskSpec> ReadAsync(ParseResult result, CancellationToken cancellationToken)
    {
        TaskSpec spec = Read(result, await Payload.ReadAsync(result, cancellationToken).ConfigureAwait(false));
        if (result.GetValue(Slots) is { } slots)
            spec.Slots = slots;
        if (result.GetValue(Delay) is { } delay)
            spec.Delay = delay;
        if (result.GetValue(RunAt) is { } time)
            spec.RunAt = time;
        foreach ((string name, string value) in result.GetValue(Labels)!)
            spec.Labels[name] = value;
        foreach ((string name, string value) in result.GetValue(Headers)!)
            spec.Headers[name] = value;
        return spec;
    }

    private static TaskSpec Read(ParseResult result, ByteString payload) => new()
    {
        Kind = result.GetValue(Kind),
        Payload = payload,
        Id = result.GetValue(Id) ?? "",
        Queue = result.GetValue(Queue) ?? "",
        Priority = result.GetValue(Priority),
        SerialKey = result.GetValue(SerialKey) ?? "",
        UniqueKey = result.GetValue(UniqueKey) ?? "",
        OnConflict = result.GetValue(OnConflict),
        After = { result.GetValue(After) ?? [] },
        AfterPolicy = result.GetValue(AfterPolicy),
        StartTimeout = result.GetValue(StartTimeout),
        RunTimeout = result.GetValue(RunTimeout),
        TotalTimeout = result.GetValue(TotalTimeout),
        Retry = RetryOptions.Read(result),
        ParentId = result.GetValue(Parent) ?? "",
        Group = result.GetValue(Group) ?? "",
        Retention = result.GetValue(Retention),
        ContentType = result.GetValue(ContentType) ?? "",
    };

    private static void RefuseTwoStarts(CommandResult result)
    {
        if (result.GetResult(Delay) is not null && result.GetResult(RunAt) is not null)
            result.AddError("Give --delay or --run-at, not both.");
    }
}
