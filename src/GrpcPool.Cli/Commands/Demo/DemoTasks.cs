using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using GrpcPool.V1;

namespace GrpcPool.Cli.Commands.Demo;

/// <summary>The tasks of the demo.</summary>
internal static class DemoTasks
{
    /// <summary>The label that all of them bear.</summary>
    public const string LabelName = "purpose";

    /// <summary>Its value.</summary>
    public const string LabelValue = "demo";

    private const int EndlessPages = 200;

    private static readonly Duration SecondsBetweenTries = Seconds(0.5);

    /// <summary>All tasks, in the order in which they are submitted.</summary>
    public static IReadOnlyList<DemoTask> Declare(DemoFolder folder, DemoPrograms programs) =>
        [.. Reports(programs), .. Mail(), .. Files(folder, programs)];

    private static IEnumerable<DemoTask> Files(DemoFolder folder, DemoPrograms programs)
    {
        yield return CountWords("count:all", folder, programs);
        foreach ((string name, byte[] content) in folder.Files)
            yield return OverFile($"digest:{name}", "sha256sum", content, programs, Proofs.Digest(content));
        foreach ((string name, byte[] content) in folder.Files)
            yield return OverFile($"pack:{name}", "gzip", content, programs, Proofs.Packed(content));
        yield return CountWords("count:again", folder, programs);
    }

    private static IEnumerable<DemoTask> Mail()
    {
        // Three letters to one customer: one after the other, in this order.
        for (int letter = 1; letter <= 3; letter++)
            yield return Sleep($"letter-to-ada:{letter}", "mail", 1, 5, spec => spec.SerialKey = "customer:ada");

        for (int letter = 1; letter <= 3; letter++)
            yield return Echo($"greeting:{letter}", "mail", $"Good morning, reader {letter}!");

        yield return Echo("greeting:urgent", "mail", "Good morning, before all others!", spec => spec.Priority = 100);
        yield return Sleep("newsletter", "mail", 3.5, 35);

        for (int letter = 1; letter <= 3; letter++)
            yield return Fail($"flaky-server:{letter}", """{"message": "the mail server is busy", "times": 2}""", TaskState.Succeeded, 3, 3);

        yield return Fail("gone-server", """{"message": "the mail server is gone"}""", TaskState.Failed, 3, 3);
        yield return Fail("bad-address", """{"message": "no such address", "retryable": false}""", TaskState.Failed, 5, 1);
    }

    private static IEnumerable<DemoTask> Reports(DemoPrograms programs)
    {
        // One printer: the atlas is cancelled on it, the poster waits too long for it, the leaflet gets it at last.
        yield return Print("print:atlas", EndlessPages, programs, OnPrinter) with
        {
            End = TaskState.Cancelled,
            CancelWhen = info => info.Progress?.Fraction > 0.09,
        };
        yield return Print("print:poster", 1, programs, spec => OnPrinter(spec).StartTimeout = Seconds(1)) with { End = TaskState.Expired, Attempts = 0 };
        yield return Print("print:leaflet", 12, programs, OnPrinter);

        yield return Print("hanging-report", EndlessPages, programs, spec => spec.RunTimeout = Seconds(2)) with
        {
            End = TaskState.Failed,
            Failure = FailureCode.Timeout,
        };
        yield return Sleep("report:yearly", "reports", 1.5, 15, spec => spec.Slots = 2);
        for (int month = 1; month <= 3; month++)
            yield return Sleep($"report:month-{month}", "reports", 1.5, 10);

        yield return Sleep("report:later", "reports", 1, 10, spec => spec.Delay = Seconds(7));
        yield return Sleep("report:tomorrow", "reports", 1, 1, spec => spec.Delay = Seconds(24 * 60 * 60)) with
        {
            End = TaskState.Cancelled,
            Attempts = 0,
            CancelWhen = info => info.State == TaskState.Scheduled,
        };
    }

    private static TaskSpec OnPrinter(TaskSpec spec)
    {
        spec.SerialKey = "printer";
        spec.Priority = 10;
        return spec;
    }

    private static DemoTask CountWords(string id, DemoFolder folder, DemoPrograms programs) => programs.Has("sh", "wc", "sleep")
        ? new DemoTask(Spec(id, "count-words", "files", "")) { Proof = Proofs.WordCounts(folder.Files.Keys, DemoFolder.WordCount) }
        : Sleep(id, "files", 2.4, 6);

    private static DemoTask OverFile(string id, string program, byte[] content, DemoPrograms programs, Proof proof)
    {
        bool has = programs.Has(program);
        TaskSpec spec = Spec(id, has ? program : "echo", "files", "");
        spec.Payload = ByteString.CopyFrom(content);
        return new DemoTask(spec) { Proof = has ? proof : Proofs.Same(content) };
    }

    private static DemoTask Print(string id, int pages, DemoPrograms programs, Func<TaskSpec, object> configure)
    {
        if (!programs.Has("sh", "sleep"))
            return Sleep(id, "reports", pages * 0.15, pages, configure);
        TaskSpec spec = Spec(id, "print", "reports", $"{pages}\n");
        configure(spec);
        return new DemoTask(spec) { Proof = Proofs.Says($"{pages} pages printed") };
    }

    private static DemoTask Sleep(string id, string queue, double seconds, int steps, Func<TaskSpec, object>? configure = null)
    {
        TaskSpec spec = Spec(id, "sleep", queue, string.Create(CultureInfo.InvariantCulture, $$"""{"seconds": {{seconds}}, "steps": {{steps}}}"""));
        configure?.Invoke(spec);
        return new DemoTask(spec);
    }

    private static DemoTask Echo(string id, string queue, string text, Func<TaskSpec, object>? configure = null)
    {
        TaskSpec spec = Spec(id, "echo", queue, text);
        configure?.Invoke(spec);
        return new DemoTask(spec) { Proof = Proofs.Says(text) };
    }

    private static DemoTask Fail(string id, string payload, TaskState end, int attemptsMax, int attempts)
    {
        TaskSpec spec = Spec(id, "fail", "mail", payload);
        spec.Retry = new RetryPolicy { MaxAttempts = attemptsMax, InitialBackoff = SecondsBetweenTries };
        return new DemoTask(spec) { End = end, Attempts = attempts, Failure = end == TaskState.Failed ? FailureCode.HandlerError : FailureCode.Unspecified };
    }

    private static TaskSpec Spec(string id, string kind, string queue, string payload) =>
        new() { Id = id, Kind = kind, Queue = queue, Payload = ByteString.CopyFromUtf8(payload), Labels = { [LabelName] = LabelValue } };

    private static Duration Seconds(double seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));
}
