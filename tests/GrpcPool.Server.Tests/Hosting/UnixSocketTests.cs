using System.Net.Sockets;
using System.Runtime.Versioning;
using Grpc.Net.Client;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hosting;

[SupportedOSPlatform("linux")]
public sealed class UnixSocketTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-socket-");

    private string SocketPath => Path.Combine(_folder.FullName, "pool.sock");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact(Timeout = 20_000)]
    public async Task A_socket_is_for_owner_and_group_and_goes_with_its_server()
    {
        await using (await TestServer.StartAsync(socket: SocketPath))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(SocketPath));
            await AssertAnswersAsync();
        }

        Assert.False(Path.Exists(SocketPath));
    }

    [Fact(Timeout = 20_000)]
    public async Task A_socket_that_nobody_answers_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(SocketPath + ".dead"));

            // Under another name it outlives its owner, who removes what he has bound.
            File.Move(SocketPath + ".dead", SocketPath);
        }

        Assert.True(Path.Exists(SocketPath));
        await using TestServer server = await TestServer.StartAsync(socket: SocketPath);
        await AssertAnswersAsync();
    }

    [Fact(Timeout = 20_000)]
    public async Task The_socket_of_another_server_is_respected()
    {
        await using TestServer first = await TestServer.StartAsync(socket: SocketPath);
        await Assert.ThrowsAsync<IOException>(() => TestServer.StartAsync(socket: SocketPath));
        await AssertAnswersAsync();
    }

    [Fact(Timeout = 20_000)]
    public async Task A_file_that_is_no_socket_is_left_alone()
    {
        await File.WriteAllTextAsync(SocketPath, "precious", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<IOException>(() => TestServer.StartAsync(socket: SocketPath));
        Assert.Equal("precious", await File.ReadAllTextAsync(SocketPath, TestContext.Current.CancellationToken));
    }

    private async Task AssertAnswersAsync()
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler });
        SubmitResponse submitted = await new TaskPoolService.TaskPoolServiceClient(channel).SubmitAsync(new SubmitRequest { Task = new TaskSpec { Kind = "echo" } }, TestServer.Call);
        Assert.True(submitted.Created);
    }
}
