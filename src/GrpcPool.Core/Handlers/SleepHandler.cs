using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Handlers;

/// <summary>
/// The built-in kind <c>sleep</c>: takes <c>{"seconds": 1.5, "steps": 3}</c>, sleeps in equal steps and reports progress after each.
/// <c>seconds</c> is 0 to 30 days; <c>steps</c> is 1 to 10,000, 1 by default. Asked to stop, it throws <see cref="OperationCanceledException"/> at once.
/// </summary>
internal sealed class SleepHandler(TimeProvider time) : ITaskHandler
{
    private const double SecondsMax = 30 * 24 * 60 * 60;
    private const int StepsMax = 10_000;

    public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        if (!JsonPayload.TryRead(context.Payload, Read, out (TimeSpan Step, int Steps) plan, out Failure? invalid))
            return TaskOutcome.Failed(invalid);

        for (int done = 1; done <= plan.Steps; done++)
        {
            await Task.Delay(plan.Step, time, stopping).ConfigureAwait(false);
            context.ReportProgress((double)done / plan.Steps, $"step {done} of {plan.Steps}");
        }

        return TaskOutcome.Succeeded();
    }

    private static (TimeSpan Step, int Steps) Read(JsonPayload payload)
    {
        payload.AllowOnly("seconds", "steps");
        double seconds = payload.Number("seconds", 0, SecondsMax);
        int steps = payload.Integer("steps", 1, StepsMax) ?? 1;
        return (TimeSpan.FromSeconds(seconds / steps), steps);
    }
}
