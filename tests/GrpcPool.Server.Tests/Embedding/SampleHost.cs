using System.Diagnostics;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.RegularExpressions;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Embedding;

/// <summary>The sample application as a process of its own, on free ports.</summary>
internal sealed partial class SampleHost : IDisposable
{
    private readonly DirectoryInfo _data;
    private readonly Process _process;
    private readonly Task<string> _rest;

    private SampleHost(DirectoryInfo data, Process process, Uri grpc, Uri web)
    {
        (_data, _process) = (data, process);
        _rest = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Channel = GrpcChannel.ForAddress(grpc);
        Client = new TaskPoolService.TaskPoolServiceClient(Channel);
        Web = new HttpClient { BaseAddress = web };
    }

    /// <summary>The folder of its sources.</summary>
    public static string Sources => Metadata("SampleHost");

    /// <summary>The folder of what the build has made of it.</summary>
    public static string BuildOutput => Metadata("SampleHostOutput");

    /// <summary>The program that runs .NET's own.</summary>
    public static string Dotnet => Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet";

    public GrpcChannel Channel { get; }

    public TaskPoolService.TaskPoolServiceClient Client { get; }

    /// <summary>Speaks to the application's own endpoints.</summary>
    public HttpClient Web { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts it, and waits until it listens.</summary>
    /// <param name="folder">Where it was built or published, with its settings.</param>
    /// <param name="command">The program with its first arguments.</param>
    public static async Task<SampleHost> StartAsync(string folder, params string[] command)
    {
        DirectoryInfo data = Directory.CreateTempSubdirectory("grpcpool-sample-data-");
        string[] settings =
        [
            $"--GrpcPool:Storage:Path={Path.Combine(data.FullName, "grpcpool.db")}",
            "--Kestrel:Endpoints:Grpc:Url=http://127.0.0.1:0",
            "--Kestrel:Endpoints:Web:Url=http://127.0.0.1:0",
        ];
        Process process = Process.Start(new ProcessStartInfo(command[0], [.. command[1..], .. settings]) { RedirectStandardOutput = true, WorkingDirectory = folder })!;
        var addresses = new List<Uri>();
        while (addresses.Count < 2)
        {
            string line = await process.StandardOutput.ReadLineAsync(Stop) ?? throw new InvalidOperationException("the sample host did not start");
            if (Listening().Match(line) is { Success: true } match)
                addresses.Add(new Uri(match.Groups[1].Value));
        }

        return new SampleHost(data, process, addresses[0], addresses[1]);
    }

    /// <summary>Asks it for a smaller image, and answers the id of the task.</summary>
    public async Task<string> ResizeAsync(string image, int width)
    {
        using HttpResponseMessage response = await Web.PostAsJsonAsync("/resize", new { image, width }, Stop);
        var accepted = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<Dictionary<string, string>>(Stop);
        return accepted!["id"];
    }

    /// <summary>The task at its end.</summary>
    public async Task<TaskInfo> EndOfAsync(string id) =>
        (await Client.WaitAsync(new WaitRequest { Id = id, View = TaskView.Full }, TestServer.Call)).Task;

    /// <summary>Sends it SIGTERM, and waits for its end.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await _process.WaitForExitAsync(Stop);
        await _rest;
        return _process.ExitCode;
    }

    public void Dispose()
    {
        Channel.Dispose();
        Web.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
        _data.Delete(recursive: true);
    }

    private static string Metadata(string key) => Path.GetFullPath(
        typeof(SampleHost).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!);

    [GeneratedRegex(@"Now listening on: (\S+)")]
    private static partial Regex Listening();
}
