using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Globalization;

namespace GrpcPool.Server.Tests.Infrastructure;

/// <summary>As tests start it: it ends with the test.</summary>
internal sealed partial class ServerProcess
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts <c>grpcpool serve</c> on free ports, with its tasks in memory, and waits until it listens.</summary>
    public static Task<ServerProcess> ServeAsync(params string[] settings) =>
        ServeAsync(["Listen:Http=http://127.0.0.1:0", "Listen:Ops=http://127.0.0.1:0", "Storage:Type=memory", .. settings], ReadOnlyDictionary<string, string>.Empty, Stop);

    /// <summary>The most memory that it has ever had (VmHWM of proc(5)), in bytes.</summary>
    public long PeakBytes => 1024 * long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").Single(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal))[6..^2], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);

    public static ServerProcess Run(params string[] arguments) => new(arguments, ReadOnlyDictionary<string, string>.Empty, Stop);

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(Stop);
        Assert.Equal(0, kill.ExitCode);
    }
}
