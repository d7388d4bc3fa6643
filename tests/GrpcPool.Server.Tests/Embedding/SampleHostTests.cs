using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Embedding;

public sealed class SampleHostTests
{
    private const string Name = "GrpcPool.SampleHost";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task It_runs_its_handlers_as_it_is_built()
    {
        using SampleHost host = await SampleHost.StartAsync(SampleHost.BuildOutput, SampleHost.Dotnet, $"{Name}.dll");
        await DriveAsync(host);
    }

    [Fact(Timeout = 1_800_000)]
    public async Task It_runs_its_handlers_as_native_code()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("GRPCPOOL_TEST_ALL") == "1", "publishing takes minutes; it is done with GRPCPOOL_TEST_ALL=1");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("grpcpool-sample-");
        try
        {
            string published = await PublishAsync(folder.FullName);
            using SampleHost host = await SampleHost.StartAsync(published, Path.Combine(published, Name));
            await DriveAsync(host);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task DriveAsync(SampleHost host)
    {
        string id = await host.ResizeAsync("cat.png", 40);
        await UntilProgressAsync(host, id);
        TaskInfo resized = await host.EndOfAsync(id);
        Assert.Equal((TaskState.Succeeded, "application/json", """{"image":"cat.png","width":40,"height":30}"""), (resized.State, resized.ResultContentType, resized.Result.ToStringUtf8()));

        Assert.Equal("cat.png becomes 40 × 30\n", await LogOfAsync(host, id));

        TaskInfo thumbnail = await RunAsync(host, new TaskSpec { Kind = "thumbnail", Payload = ByteString.CopyFrom(new byte[300]), ContentType = "image/png" });
        Assert.Equal((TaskState.Succeeded, 100, "image/png"), (thumbnail.State, thumbnail.Result.Length, thumbnail.ResultContentType));

        TaskInfo missing = await host.EndOfAsync(await host.ResizeAsync("dog.png", 40));
        Assert.Equal((TaskState.Failed, "there is no image dog.png"), (missing.State, missing.Failure.Message));

        TaskInfo invalid = await RunAsync(host, new TaskSpec { Kind = "resize", Payload = ByteString.CopyFromUtf8("""{"image":"cat.png"}""") });
        Assert.Equal((TaskState.Failed, FailureCode.InvalidPayload), (invalid.State, invalid.Failure.Code));

        string cancelled = await host.ResizeAsync("cat.png", 40_000);
        await UntilProgressAsync(host, cancelled);
        await host.Client.CancelAsync(new CancelRequest { Id = cancelled }, TestServer.Call);
        Assert.Equal(TaskState.Cancelled, (await host.EndOfAsync(cancelled)).State);

        Assert.Equal("""{"opened":4,"disposed":4}""", await host.Web.GetStringAsync("/stores", Stop));
        Assert.Equal("Healthy", await host.Web.GetStringAsync("/healthz", Stop));
        Assert.Equal(0, await host.TerminateAsync());
    }

    private static async Task<TaskInfo> RunAsync(SampleHost host, TaskSpec task) =>
        await host.EndOfAsync((await host.Client.SubmitAsync(new SubmitRequest { Task = task }, TestServer.Call)).Task.Id);

    private static async Task<string> LogOfAsync(SampleHost host, string id)
    {
        using AsyncServerStreamingCall<ReadLogResponse> log = host.Client.ReadLog(new ReadLogRequest { Id = id }, TestServer.Call);
        Assert.True(await log.ResponseStream.MoveNext(Stop), "the log is empty");
        return log.ResponseStream.Current.Data.ToStringUtf8();
    }

    private static async Task UntilProgressAsync(SampleHost host, string id)
    {
        using AsyncServerStreamingCall<WatchResponse> watch = host.Client.Watch(new WatchRequest { Ids = { id } }, TestServer.Call);
        do
            Assert.True(await watch.ResponseStream.MoveNext(Stop), "the task has ended without progress");
        while (!watch.ResponseStream.Current.Events.Any(static told => told.Task?.Progress?.Fraction > 0));
    }

    /// <summary>Publishes it, leaving the checkout, its lock files too, as it is. Answers the folder.</summary>
    private static async Task<string> PublishAsync(string folder)
    {
        string[] arguments =
        [
            "publish", SampleHost.Sources, "-c", "Release", "--use-current-runtime", "-p:PublishAot=true", "--artifacts-path", folder, "--disable-build-servers",
            "-p:RestorePackagesWithLockFile=false", $"-p:NuGetLockFilePath={Path.Combine(folder, "none.json")}", "-nologo", "-v", "quiet",
        ];
        using Process publish = Process.Start(new ProcessStartInfo(SampleHost.Dotnet, arguments) { RedirectStandardOutput = true })!;
        try
        {
            string output = await publish.StandardOutput.ReadToEndAsync(Stop);
            await publish.WaitForExitAsync(Stop);
            Assert.True(publish.ExitCode == 0, output);
        }
        finally
        {
            publish.Kill(entireProcessTree: true);
        }

        return Directory.GetDirectories(Path.Combine(folder, "publish", Name)).FirstOrDefault() ?? Path.Combine(folder, "publish", Name);
    }
}
