using System.Diagnostics;
using GrpcPool.Testing.Hostile;

namespace GrpcPool.Benchmarks.Load;

/// <summary>Attacks a server, in a process of its own and with the lowest priority: another machine would not take the processors of those who are attacked.</summary>
internal sealed class Attacker : IAsyncDisposable
{
    public const string Command = "attack";

    /// <summary>How many calls it makes at a time, where each is answered.</summary>
    private const int Calls = 16;

    private readonly Process _process;

    private Attacker(Process process) => _process = process;

    /// <summary>All it can do, by the name.</summary>
    public static IReadOnlyDictionary<string, Func<Attack, Task>> All { get; } = new Dictionary<string, Func<Attack, Task>>
    {
        ["rapid reset"] = Floods.ResetAsync,
        ["resets made by the server"] = Floods.MakeResetAsync,
        ["CONTINUATION"] = static attack => Floods.ContinueAsync(attack, 100),
        ["headers that grow"] = Floods.UnpackAsync,
        ["PING"] = Floods.PingAsync,
        ["SETTINGS"] = Floods.SetAsync,
        ["empty DATA"] = Floods.SendNothingAsync,
        ["WINDOW_UPDATE"] = Floods.WidenAsync,
        ["unread calls that say nothing"] = Floods.CallBadlyAsync,
        ["connections"] = Floods.ConnectAsync,
        ["gzip bombs"] = static attack => Floods.InflateAsync(attack, RawCall.Submit),
        ["prefixes of 4 GiB"] = static attack => Floods.PromiseAsync(attack, RawCall.Submit, uint.MaxValue),
        ["2500 watchers that do not read"] = Floods.WatchAsync,
    };

    public static async Task<int> RunAsync(string flood, string address)
    {
        await All[flood](new Attack(new Uri(address), CancellationToken.None, Calls));
        return 0;
    }

    public static Attacker Start(string flood, ServerProcess victim) =>
        new(Process.Start(new ProcessStartInfo("nice", ["-n", "19", Environment.ProcessPath!, Command, flood, $"http://127.0.0.1:{victim.Port}"]))!);

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
