using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
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
                new WatchResponse { Events = { new WatchEvent { Type = WatchEventType.Changed, Task = ProtoMapping.ToInfo(view, V1.TaskView.Basic) } } },
                WatchResponse.Parser.ParseFrom(Packing.ToEvent(WatchEventType.Changed, view)));
        }
    }

    [Fact]
    public async Task Packed_events_are_one_response_wherever_the_blocks_of_the_connection_end()
    {
        WatchEvent[] events = [.. Enumerable.Range(0, 50).Select(static i => new WatchEvent { Type = WatchEventType.Changed, Task = new TaskInfo { Id = new string('x', 3 * i) } })];
        var pipe = new Pipe(new PipeOptions(minimumSegmentSize: 16));
        var context = new Serialization(pipe.Writer);

        new PackedWatchResponse([.. events.Select(static told => new WatchResponse { Events = { told } }.ToByteArray())], Revision: 300).WriteTo(context);
        await pipe.Writer.CompleteAsync();
        ReadResult written = await pipe.Reader.ReadAtLeastAsync(int.MaxValue, TestContext.Current.CancellationToken);

        Assert.Equal(new WatchResponse { Events = { events }, Revision = 300 }, WatchResponse.Parser.ParseFrom(written.Buffer));
        Assert.Equal(written.Buffer.Length, context.Length);
        Assert.True(context.IsComplete);
    }

    private sealed class Serialization(PipeWriter writer) : SerializationContext
    {
        public int Length { get; private set; }

        public bool IsComplete { get; private set; }

        public override void SetPayloadLength(int payloadLength) => Length = payloadLength;

        public override IBufferWriter<byte> GetBufferWriter() => writer;

        public override void Complete() => IsComplete = true;
    }
}
