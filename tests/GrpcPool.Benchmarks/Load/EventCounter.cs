using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Benchmarks.Limits;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Load;

/// <summary>Reads streams without making objects of what they carry, so that the reader is not what is measured.</summary>
internal static class EventCounter
{
    private const uint FirstField = (1 << 3) | 2;

    private static readonly Marshaller<byte[]> Raw = Marshallers.Create(static (byte[] bytes) => bytes, static bytes => bytes);
    private static readonly Method<byte[], byte[]> Watch = ServerStreaming("grpcpool.v1.TaskPoolService", "Watch");
    private static readonly Method<byte[], byte[]> Emit = ServerStreaming("grpcpool.benchmarks.LimitService", "Emit");

    public static AsyncServerStreamingCall<byte[]> OpenWatch(ChannelBase channel, WatchRequest request) => Open(channel, Watch, request);

    public static AsyncServerStreamingCall<byte[]> OpenEmit(ChannelBase channel, EmitRequest request) => Open(channel, Emit, request);

    /// <summary>How many events, or chunks of bytes, a message carries: its fields with the number 1.</summary>
    public static int Count(byte[] message)
    {
        int events = 0;
        var input = new CodedInputStream(message);
        for (uint tag; (tag = input.ReadTag()) != 0;)
        {
            if (tag == FirstField)
                events++;
            input.SkipLastField();
        }

        return events;
    }

    private static AsyncServerStreamingCall<byte[]> Open(ChannelBase channel, Method<byte[], byte[]> method, IMessage request) =>
        channel.CreateCallInvoker().AsyncServerStreamingCall(method, null, default, request.ToByteArray());

    private static Method<byte[], byte[]> ServerStreaming(string service, string name) => new(MethodType.ServerStreaming, service, name, Raw, Raw);
}
