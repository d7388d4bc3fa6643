using GrpcPool.Core.Tasks;
using GrpcPool.Server.Services;
using GrpcPool.V1;
using Cancellation = GrpcPool.Core.Tasks.Cancellation;
using Failure = GrpcPool.Core.Tasks.Failure;
using FailureCode = GrpcPool.Core.Tasks.FailureCode;
using TaskSpec = GrpcPool.Core.Tasks.TaskSpec;
using TaskState = GrpcPool.Core.Tasks.TaskState;
using TaskView = GrpcPool.Core.Execution.TaskView;
using WaitingReason = GrpcPool.Core.Tasks.WaitingReason;

namespace GrpcPool.Server.Tests.Services;

public sealed class PackingTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, 891, TimeSpan.Zero);

    [Fact]
    public void What_is_serialised_is_the_message_of_the_task_and_nothing_of_the_one_before()
    {
        TaskRecord bare = TaskTransitions.Submit(new TaskId("n", "bare"), new TaskSpec { Kind = "k", Queue = "q" }, null, "", null, new Stamp(7, Now));
        TaskRecord rich = bare with
        {
            Id = new TaskId("other", "rich"),
            Spec = bare.Spec with { SerialKey = "s", Labels = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" }, Group = "g", ParentId = "p", ScheduleId = "i", Priority = 3, Slots = 2, Payload = "p"u8.ToArray() },
            SubmittedBy = "me",
            StartedAt = Now.AddTicks(1),
            FinishedAt = Now.AddDays(1),
            ExpiresAt = Now.AddYears(1),
            Attempt = 2,
            Losses = 1,
            Worker = "w",
            Progress = new TaskProgress(0.5, "half", Now),
            Cancellation = new Cancellation("why", "who", Now),
            Failure = new Failure(FailureCode.HandlerError, "what", retryable: true),
        };

        foreach (TaskView view in (TaskView[])[new(bare), new(rich, WaitingReason.PoolFull, 4), new(bare), new(rich with { State = TaskState.Failed })])
        {
            Assert.Equal(new SubmitResponse { Task = ProtoMapping.ToInfo(view, V1.TaskView.Basic), Created = true }, SubmitResponse.Parser.ParseFrom(Packing.ToAnswer(view, created: true)));
            Assert.Equal(
                new WatchEvent { Type = WatchEventType.Changed, Task = ProtoMapping.ToInfo(view, V1.TaskView.Basic) }, WatchEvent.Parser.ParseFrom(Packing.ToEvent(WatchEventType.Changed, view)));
        }
    }
}
