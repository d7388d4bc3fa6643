using Grpc.Core;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Services;

public sealed class BackupTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-backup-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = 20_000)]
    public async Task A_server_goes_on_from_the_backup_of_another()
    {
        string backup = PathOf("backup.db");
        await using (TestServer server = await StartAsync("a.db"))
        {
            await server.RunAsync(new TaskSpec { Id = "before", Kind = "echo" });
            BackupResponse made = await Admin(server).BackupAsync(new BackupRequest { Path = backup }, TestServer.Call);
            Assert.Equal(new FileInfo(backup).Length, made.SizeBytes);
            await server.RunAsync(new TaskSpec { Id = "after", Kind = "echo" });
            await Refused.WithAsync(StatusCode.AlreadyExists, Admin(server).BackupAsync(new BackupRequest { Path = backup }, TestServer.Call));
            await Refused.WithAsync(StatusCode.FailedPrecondition, Admin(server).BackupAsync(new BackupRequest { Path = PathOf("nowhere/x.db") }, TestServer.Call));
        }

        await using TestServer restored = await StartAsync("backup.db");
        Assert.Equal(TaskState.Succeeded, (await restored.GetAsync("before")).State);
        Assert.Equal(1, await restored.CountAsync());
    }

    [Fact(Timeout = 20_000)]
    public async Task A_server_without_a_file_has_no_backup()
    {
        await using TestServer server = await TestServer.StartAsync();
        await Refused.WithAsync(StatusCode.FailedPrecondition, Admin(server).BackupAsync(new BackupRequest { Path = PathOf("backup.db") }, TestServer.Call));
    }

    [Theory(Timeout = 20_000)]
    [InlineData("")]
    [InlineData("backup.db")]
    public async Task A_path_must_be_absolute(string path)
    {
        await using TestServer server = await TestServer.StartAsync();
        Assert.Equal(["path"], await Refused.FieldsAsync(Admin(server).BackupAsync(new BackupRequest { Path = path }, TestServer.Call)));
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);

    private Task<TestServer> StartAsync(string name) => TestServer.StartAsync(options =>
    {
        options.Storage.Type = StorageType.Sqlite;
        options.Storage.Path = PathOf(name);
    });

    private static PoolAdminService.PoolAdminServiceClient Admin(TestServer server) => new(server.Channel);
}
