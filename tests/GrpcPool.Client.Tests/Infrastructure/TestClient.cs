using Google.Protobuf;
using GrpcPool.V1;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Client.Tests.Infrastructure;

/// <summary>Clients, and what they submit.</summary>
internal static class TestClient
{
    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static GrpcPoolClient Of(Uri address, TimeProvider? time = null, Action<GrpcPoolClientOptions>? configure = null)
    {
        var options = new GrpcPoolClientOptions { Address = address };
        configure?.Invoke(options);
        return new GrpcPoolClient(options, time);
    }

    public static TaskSpec Echo(string payload = "", string id = "") => new() { Id = id, Kind = "echo", Payload = ByteString.CopyFromUtf8(payload) };

    public static TaskSpec Gate(string id = "") => new() { Id = id, Kind = "gate", Payload = ByteString.CopyFromUtf8("opened") };

    /// <summary>Lets time go on until something has happened that takes as many pauses as it takes. With small steps it goes on slowly enough for limits to hold.</summary>
    public static async Task<T> PassUntilAsync<T>(this FakeTimeProvider time, Task<T> happened, double stepSeconds = 0.2)
    {
        while (!happened.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(stepSeconds));
            await Task.WhenAny(happened, Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Stop));
        }

        return await happened;
    }
}
