using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;

namespace GrpcPool.Testing.Hostile;

/// <summary>A call whose body is any bytes, by a client that keeps to the rules of HTTP.</summary>
internal static class RawCall
{
    public const string Submit = "/grpcpool.v1.TaskPoolService/Submit", SubmitStream = "/grpcpool.v1.TaskPoolService/SubmitStream", Watch = "/grpcpool.v1.TaskPoolService/Watch";

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create(static bytes => bytes, static bytes => bytes);

    /// <summary>A method whose messages may be any bytes.</summary>
    public static Method<byte[], byte[]> Method(MethodType type, string service, string name) => new(type, service, name, Bytes, Bytes);

    public static byte[] Message(ReadOnlySpan<byte> body, byte compressed = 0, uint? length = null)
    {
        byte[] message = [compressed, 0, 0, 0, 0, .. body];
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(1), length ?? (uint)body.Length);
        return message;
    }

    /// <summary>Makes the call and returns its <c>grpc-status</c>, or the status of HTTP where that is all there is.</summary>
    public static async Task<string> PostAsync(HttpClient http, Uri address, string method, HttpContent body, CancellationToken stop, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        foreach ((string name, string value) in headers)
            request.Headers.Add(name, value);
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        await response.Content.ReadAsByteArrayAsync(stop);
        return response.Headers.TryGetValues("grpc-status", out IEnumerable<string>? status) || response.TrailingHeaders.TryGetValues("grpc-status", out status) ? status.Single() : $"HTTP {response.StatusCode}";
    }

    /// <summary>A body that stops before its end, until it is given up.</summary>
    public sealed class Unfinished(byte[] part, Action<int> sent, CancellationToken stop) : HttpContent
    {
        private const int ChunkBytes = 65_536;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            for (int at = 0; at < part.Length; at += ChunkBytes)
            {
                await stream.WriteAsync(part.AsMemory(at, Math.Min(ChunkBytes, part.Length - at)), stop);
                sent(ChunkBytes);
            }

            await stream.FlushAsync(stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
