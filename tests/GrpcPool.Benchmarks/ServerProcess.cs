using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Grpc.Net.Client;
using GrpcPool.Benchmarks.Limits;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks;

/// <summary>A server in a process of its own, whose processor time and memory are its own too.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, int port)
    {
        (_process, Port) = (process, port);
        Channel = OpenChannel();
    }

    public int Port { get; }

    public GrpcChannel Channel { get; }

    public TaskPoolService.TaskPoolServiceClient Pool => new(Channel);

    public LimitService.LimitServiceClient Limits => new(Channel);

    /// <summary>Processor time used so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory, in bytes.</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public static Task<ServerProcess> StartLimitsAsync()
    {
        int port = FreePort();
        return StartAsync(Environment.ProcessPath!, [LimitServer.Command, port.ToString(CultureInfo.InvariantCulture)], port);
    }

    /// <summary>Starts <c>grpcpool serve</c> and waits until it answers.</summary>
    public static Task<ServerProcess> StartPoolAsync(params IEnumerable<string> settings) => StartPoolAsync(null, settings);

    /// <summary>The same with another program than the one beside this.</summary>
    public static Task<ServerProcess> StartPoolAsync(string? program, IEnumerable<string> settings)
    {
        int port = FreePort();
        IEnumerable<string> all = [$"Listen:Grpc=http://127.0.0.1:{port}", "Listen:Http=", "Listen:Ops=", .. settings];
        return StartAsync(program ?? Path.Combine(AppContext.BaseDirectory, "grpcpool"), ["serve", .. all.SelectMany(setting => new[] { "--set", setting })], port);
    }

    /// <summary>A connection of its own.</summary>
    public GrpcChannel OpenChannel() => GrpcChannel.ForAddress($"http://127.0.0.1:{Port}", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler { UseProxy = false },
        MaxReceiveMessageSize = 4 << 20,
    });

    /// <summary>Ends it as a crash would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private static async Task<ServerProcess> StartAsync(string file, IEnumerable<string> arguments, int port)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        Process process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, line) =>
        {
            if (line.Data is { Length: > 0 } text)
                Console.Error.WriteLine(text);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await AnswersAsync(process, port);
        return new ServerProcess(process, port);
    }

    private static async Task AnswersAsync(Process process, int port)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5), TimeProvider.System);
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                return;
            }
            catch (SocketException) when (!process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
