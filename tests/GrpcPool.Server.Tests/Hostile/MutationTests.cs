using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Health.V1;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.Testing.Hostile;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hostile;

/// <summary>
/// Messages that are nearly right, to every RPC: a message with random values in its fields, and the same with bytes changed. Whatever comes of a call is an answer of its own;
/// a fault of ours would be in the log as an error, and fails the test.
/// </summary>
public sealed class MutationTests
{
    private const int Messages = 60;
    private const int Depth = 4;

    private static readonly string[] Words = ["", "echo", "default", "t1", "t2", "gate", "no-such", "../etc/passwd", "*/5 * * * *", "Europe/Berlin", "a\0b", "\uFFFD", "%s%n", new('x', 5_000)];
    private static readonly long[] Numbers = [0, 1, -1, 2, 100, 1_000, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue, 253_402_300_800];

    private static readonly ServiceDescriptor[] Services =
        [.. TaskPoolReflection.Descriptor.Services, .. WorkerReflection.Descriptor.Services, .. ScheduleReflection.Descriptor.Services, .. PoolAdminReflection.Descriptor.Services];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, int> Rpcs => [.. Services.SelectMany(static service => service.Methods).Select(static (rpc, i) => (rpc.FullName, i))];

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Rpcs))]
    public async Task A_message_that_is_nearly_right_gets_its_answer(string name, int seed)
    {
        await using TestServer server = await TestServer.StartAsync();
        await server.SubmitManyAsync(3, new TaskSpec { Kind = "gate" });
        MethodDescriptor rpc = Services.SelectMany(static service => service.Methods).Single(rpc => rpc.FullName == name);
        var random = new Random(seed);
        var statuses = new HashSet<StatusCode>();
        for (int i = 0; i < Messages; i++)
        {
            byte[] message = Fill(rpc.InputType, random, 0).ToByteArray();
            if (i % 2 == 1)
                message = Mutate(message, random);
            statuses.Add(await CallAsync(server.Channel.CreateCallInvoker(), rpc, message));
        }

        Assert.DoesNotContain(StatusCode.Internal, statuses);
        using var other = server.Connect();
        await new Health.HealthClient(other).CheckAsync(new HealthCheckRequest(), TestServer.Call);
    }

    /// <summary>Makes a call of any sort, and reads its first answer.</summary>
    private static async Task<StatusCode> CallAsync(CallInvoker invoker, MethodDescriptor rpc, byte[] message)
    {
        MethodType type = (rpc.IsClientStreaming, rpc.IsServerStreaming) switch
        {
            (true, _) => MethodType.DuplexStreaming,
            (_, true) => MethodType.ServerStreaming,
            _ => MethodType.Unary,
        };
        Method<byte[], byte[]> method = RawCall.Method(type, rpc.Service.FullName, rpc.Name);
        var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(300), cancellationToken: Stop);
        try
        {
            switch (type)
            {
                case MethodType.Unary:
                    await invoker.AsyncUnaryCall(method, null, options, message);
                    break;
                case MethodType.ServerStreaming:
                    using (AsyncServerStreamingCall<byte[]> answers = invoker.AsyncServerStreamingCall(method, null, options, message))
                        await answers.ResponseStream.MoveNext(Stop);
                    break;
                default:
                    using (AsyncDuplexStreamingCall<byte[], byte[]> stream = invoker.AsyncDuplexStreamingCall(method, null, options))
                    {
                        await stream.RequestStream.WriteAsync(message, Stop);
                        await stream.RequestStream.CompleteAsync();
                        while (await stream.ResponseStream.MoveNext(Stop))
                        {
                        }
                    }

                    break;
            }

            return StatusCode.OK;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }

    private static IMessage Fill(MessageDescriptor type, Random random, int depth)
    {
        IMessage message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (FieldDescriptor field in type.Fields.InDeclarationOrder())
        {
            // A file that could be made would be.
            if (random.Next(3) == 0 || (depth >= Depth && field.FieldType == FieldType.Message) || field.FullName == "grpcpool.v1.BackupRequest.path")
                continue;
            if (field.IsMap)
                ((System.Collections.IDictionary)field.Accessor.GetValue(message))[random.GetItems(Words, 1)[0]] = random.GetItems(Words, 1)[0];
            else if (field.IsRepeated)
                ((System.Collections.IList)field.Accessor.GetValue(message)).Add(Value(field, random, depth));
            else
                field.Accessor.SetValue(message, Value(field, random, depth));
        }

        return message;
    }

    private static object Value(FieldDescriptor field, Random random, int depth)
    {
        long number = random.GetItems(Numbers, 1)[0];
        return field.FieldType switch
        {
            FieldType.Message => Fill(field.MessageType, random, depth + 1),
            FieldType.String => random.GetItems(Words, 1)[0],
            FieldType.Bytes => ByteString.CopyFromUtf8(random.GetItems(Words, 1)[0]),
            FieldType.Bool => random.Next(2) == 0,
            FieldType.Double => random.GetItems([0, 0.5, -1, double.NaN, double.PositiveInfinity, 1e300], 1)[0],
            FieldType.Float => (float)number,
            FieldType.Enum => random.Next(-1, 12),
            FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => number,
            FieldType.UInt64 or FieldType.Fixed64 => (ulong)number,
            FieldType.UInt32 or FieldType.Fixed32 => (uint)number,
            _ => (int)number,
        };
    }

    /// <summary>Changes, takes out or puts in a few bytes.</summary>
    private static byte[] Mutate(byte[] message, Random random)
    {
        List<byte> bytes = [.. message];
        for (int changes = random.Next(1, 6); changes > 0; changes--)
        {
            int at = random.Next(bytes.Count + 1);
            if (at == bytes.Count || random.Next(4) == 0)
                bytes.Insert(at, (byte)random.Next(256));
            else if (random.Next(3) == 0)
                bytes.RemoveAt(at);
            else
                bytes[at] ^= (byte)(1 << random.Next(8));
        }

        return [.. bytes];
    }
}
