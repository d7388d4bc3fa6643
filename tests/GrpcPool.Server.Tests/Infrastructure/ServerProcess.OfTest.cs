using System.Collections.ObjectModel;
using System.Diagnostics;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>As tests start it: it ends with the test.</summary>
internal sealed partial class ServerProcess
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts <c>grpcpool serve</c> on free ports, with its tasks in memory, and waits until it listens.</summary>
    public static Task<ServerProcess> ServeAsync(params string[] settings) =>
        ServeAsync(["Listen:Http=http://127.0.0.1:0", "Listen:Ops=http://127.0.0.1:0", "Storage:Type=memory", .. settings], ReadOnlyDictionary<string, string>.Empty, Stop);

    public static ServerProcess Run(params string[] arguments) => new(arguments, ReadOnlyDictionary<string, string>.Empty, Stop);

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(Stop);
        Assert.Equal(0, kill.ExitCode);
    }
}
