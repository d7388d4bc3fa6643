using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Core.Tasks;
using GrpcPool.Server.Services;
using GrpcPool.V1;
using Cancellation = GrpcPool.Core.Tasks.Cancellation;
using Enum = System.Enum;
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
                new SubmitBatchResponse { Results = { new SubmitBatchResult { Task = ProtoMapping.ToInfo(view, V1.TaskView.Basic), Created = true } } },
                SubmitBatchResponse.Parser.ParseFrom(Packing.ToResult(view, created: true)));
            Assert.Equal(
                new WatchResponse { Events = { new WatchEvent { Type = WatchEventType.Changed, Task = ProtoMapping.ToInfo(view, V1.TaskView.Basic) } } },
                WatchResponse.Parser.ParseFrom(Packing.ToEvent(WatchEventType.Changed, view)));
        }
    }

    [Fact]
    public void An_assignment_is_the_whole_task_with_the_headers_of_its_attempt_and_has_nothing_of_the_one_before()
    {
        TaskRecord first = TaskTransitions.Submit(new TaskId("n", "first"), new TaskSpec { Kind = "k", Queue = "q" }, null, "", null, new Stamp(7, Now)) with
        {
            State = TaskState.Running,
            Attempt = 1,
            StartedAt = Now,
            Worker = "w",
        };
        TaskRecord again = first with
        {
            Id = new TaskId("n", "again"),
            Spec = first.Spec with { Payload = "payload"u8.ToArray(), ContentType = "text/plain", Headers = new Dictionary<string, string> { ["sent"] = "1" } },
            Attempt = 2,
            FormerAttempts = [new AttemptRecord(1, Now, Now.AddSeconds(1), "x", new Failure(FailureCode.HandlerError, "what", retryable: true))],
        };
        var continued = new Dictionary<string, string> { ["sent"] = "1", ["traceparent"] = "of the attempt" };
        (TaskRecord Task, IReadOnlyDictionary<string, string> Headers)[] attempts = [(first, first.Spec.Headers), (again, continued), (first, first.Spec.Headers)];

        byte[][] items = [.. attempts.Select(static attempt => Packing.ToAssignment(LeaseOf(attempt.Task), new TaskView(attempt.Task), attempt.Headers))];
        PackedResponse packed = PackedResponse.OfAssignments(items, sequence: 300);

        var expected = new Assignments { Sequence = 300 };
        foreach ((TaskRecord task, IReadOnlyDictionary<string, string> headers) in attempts)
        {
            TaskInfo info = ProtoMapping.ToInfo(new TaskView(task), V1.TaskView.Full);
            info.Headers.Clear();
            info.Headers.Add(new Dictionary<string, string>(headers));
            expected.Items.Add(new Assignment { Lease = LeaseOf(task), Task = info });
        }

        Assert.Equal(new ConnectResponse { Assignments = expected }, ConnectResponse.Parser.ParseFrom([.. packed.Pieces.SelectMany(static piece => piece)]));

        static Lease LeaseOf(TaskRecord task) => new() { TaskId = task.Id.Value, Attempt = task.Attempt, Token = ByteString.CopyFromUtf8(task.Id.Value) };
    }

    [Fact]
    public void A_message_that_is_used_again_keeps_no_field()
    {
        var full = new V1.TaskSpec();
        foreach (FieldDescriptor field in V1.TaskSpec.Descriptor.Fields.InDeclarationOrder().Where(static field => field.Name != "delay"))
            Fill(full, field);

        Assert.All(V1.TaskSpec.Descriptor.Fields.InDeclarationOrder().Where(static field => field.Name != "delay"), field => Assert.NotEqual(field.Accessor.GetValue(new V1.TaskSpec()), field.Accessor.GetValue(full)));
        Assert.Equal(new V1.TaskSpec(), SpecReader.Cleared(full));
        Assert.Equal(new V1.TaskSpec(), SpecReader.Cleared(new V1.TaskSpec { Delay = new Duration() }));
        Assert.False(full.HasSlots);

        static void Fill(V1.TaskSpec message, FieldDescriptor field)
        {
            object value = field.Accessor.GetValue(message);
            if (value is MapField<string, string> map)
                map.Add("a", "b");
            else if (value is RepeatedField<string> list)
                list.Add("a");
            else
                field.Accessor.SetValue(message, ValueOf(field));
        }

        static object ValueOf(FieldDescriptor field) => field.FieldType switch
        {
            FieldType.String => "a",
            FieldType.Bytes => ByteString.CopyFromUtf8("a"),
            FieldType.Int32 => 2,
            FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, 1),
            FieldType.Message => field.MessageType.Parser.ParseFrom([]),
            _ => throw new NotSupportedException($"no value for {field.Name}"),
        };
    }

    [Fact]
    public async Task Packed_events_are_one_response_wherever_the_blocks_of_the_connection_end()
    {
        WatchEvent[] events = [.. Enumerable.Range(0, 50).Select(static i => new WatchEvent { Type = WatchEventType.Changed, Task = new TaskInfo { Id = new string('x', 3 * i) } })];
        var pipe = new Pipe(new PipeOptions(minimumSegmentSize: 16));
        var context = new Serialization(pipe.Writer);

        PackedResponse.Write(PackedResponse.OfEvents([.. events.Select(static told => new WatchResponse { Events = { told } }.ToByteArray())], revision: 300), context);
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
