using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Handlers;

/// <summary>
/// The built-in kind <c>fail</c>: takes <c>{"message": "…", "retryable": true, "times": 2}</c> and succeeds after that many failed attempts.
/// Without <c>times</c> it always fails; <c>retryable</c> is true by default. An empty payload is an empty object.
/// </summary>
internal sealed class FailHandler : ITaskHandler
{
    private const int TimesMax = 1_000_000;

    public ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        ReadOnlyMemory<byte> payload = context.Payload.IsEmpty ? "{}"u8.ToArray() : context.Payload;
        if (!JsonPayload.TryRead(payload, Read, out (Failure Failure, int? Times) plan, out Failure? invalid))
            return ValueTask.FromResult(TaskOutcome.Failed(invalid));

        bool succeeds = context.Attempt > plan.Times;
        return ValueTask.FromResult(succeeds ? TaskOutcome.Succeeded() : TaskOutcome.Failed(plan.Failure));
    }

    private static (Failure Failure, int? Times) Read(JsonPayload payload)
    {
        payload.AllowOnly("message", "retryable", "times");
        string message = payload.Text("message", Failure.MessageCharactersMax) ?? "failed as asked";
        bool retryable = payload.Flag("retryable") ?? true;
        return (new Failure(FailureCode.HandlerError, message, retryable), payload.Integer("times", 0, TimesMax));
    }
}
