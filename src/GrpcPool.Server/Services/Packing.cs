using Google.Protobuf;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>Serialises tasks by messages that are used again: one of its own for each thread, since a task's message is made of a dozen small objects.</summary>
internal static class Packing
{
    [ThreadStatic]
    private static SubmitResponse? _answer;

    [ThreadStatic]
    private static SubmitBatchResponse? _result;

    [ThreadStatic]
    private static WatchResponse? _event;

    [ThreadStatic]
    private static Assignments? _assignment;

    /// <summary>The answer of Submit.</summary>
    public static byte[] ToAnswer(Core.Execution.TaskView task, bool created)
    {
        SubmitResponse answer = _answer ??= new SubmitResponse { Task = new TaskInfo() };
        ProtoMapping.Fill(answer.Task, task);
        answer.Created = created;
        return Serialize(answer);
    }

    /// <summary>An answer of SubmitBatch with one accepted task.</summary>
    public static byte[] ToResult(Core.Execution.TaskView task, bool created)
    {
        SubmitBatchResponse answer = _result ??= new SubmitBatchResponse { Results = { new SubmitBatchResult { Task = new TaskInfo() } } };
        SubmitBatchResult result = answer.Results[0];
        ProtoMapping.Fill(result.Task, task);
        result.Created = created;
        return Serialize(answer);
    }

    /// <summary>A response of one event without payload and result.</summary>
    public static byte[] ToEvent(WatchEventType type, Core.Execution.TaskView task)
    {
        WatchResponse response = _event ??= new WatchResponse { Events = { new WatchEvent { Task = new TaskInfo() } } };
        WatchEvent told = response.Events[0];
        ProtoMapping.Fill(told.Task, task);
        told.Type = type;
        return Serialize(response);
    }

    /// <summary>Assignments of one item, without their number.</summary>
    public static byte[] ToAssignment(Lease lease, Core.Execution.TaskView task, IReadOnlyDictionary<string, string> headers)
    {
        Assignments message = _assignment ??= new Assignments { Items = { new Assignment { Task = new TaskInfo() } } };
        Assignment assignment = message.Items[0];
        assignment.Lease = lease;
        ProtoMapping.FillAssigned(assignment.Task, task, headers);
        byte[] packed = Serialize(message);
        assignment.Task.Payload = ByteString.Empty;
        return packed;
    }

    /// <summary>As ToByteArray, which makes a stream for it.</summary>
    private static byte[] Serialize(IMessage message)
    {
        byte[] bytes = new byte[message.CalculateSize()];
        message.WriteTo(bytes.AsSpan());
        return bytes;
    }
}
