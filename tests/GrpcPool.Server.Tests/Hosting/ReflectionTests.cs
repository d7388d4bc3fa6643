using Google.Protobuf.Reflection;
using Grpc.Core;
using GrpcPool.Server.Tests.Infrastructure;
using Alpha = Grpc.Reflection.V1Alpha;
using Stable = Grpc.Reflection.V1;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>What a generic client, which knows no proto, needs.</summary>
public sealed class ReflectionTests
{
    private const string Service = "grpcpool.v1.TaskPoolService";

    [Fact(Timeout = 20_000)]
    public async Task V1_lists_the_services_and_serves_their_files()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var call = new Stable.ServerReflection.ServerReflectionClient(server.Channel).ServerReflectionInfo(TestServer.Call);
        Stable.ServerReflectionResponse list = await AskAsync(call, new Stable.ServerReflectionRequest { ListServices = "" });
        string[] services = [.. list.ListServicesResponse.Service.Select(static service => service.Name)];
        Assert.Contains(Service, services);
        Assert.Contains("grpcpool.v1.ScheduleService", services);
        Assert.Contains("grpcpool.v1.PoolAdminService", services);
        Assert.Contains("grpc.health.v1.Health", services);

        Stable.ServerReflectionResponse files = await AskAsync(call, new Stable.ServerReflectionRequest { FileContainingSymbol = Service });
        AssertComplete(files.FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom));
        Stable.ServerReflectionResponse unknown = await AskAsync(call, new Stable.ServerReflectionRequest { FileContainingSymbol = "nobody" });
        Assert.Equal((int)StatusCode.NotFound, unknown.ErrorResponse.ErrorCode);
    }

    [Fact(Timeout = 20_000)]
    public async Task V1alpha_lists_the_services_and_serves_their_files()
    {
        await using TestServer server = await TestServer.StartAsync();
        using var call = new Alpha.ServerReflection.ServerReflectionClient(server.Channel).ServerReflectionInfo(TestServer.Call);
        Alpha.ServerReflectionResponse list = await AskAsync(call, new Alpha.ServerReflectionRequest { ListServices = "" });
        Assert.Contains(Service, list.ListServicesResponse.Service.Select(static service => service.Name));
        Alpha.ServerReflectionResponse files = await AskAsync(call, new Alpha.ServerReflectionRequest { FileContainingSymbol = Service });
        AssertComplete(files.FileDescriptorResponse.FileDescriptorProto.Select(FileDescriptorProto.Parser.ParseFrom));
    }

    private static void AssertComplete(IEnumerable<FileDescriptorProto> sent)
    {
        FileDescriptorProto[] files = [.. sent];
        Assert.Empty(files.SelectMany(static file => file.Dependency).Except(files.Select(static file => file.Name)));
        Assert.Equal(16, files.SelectMany(static file => file.Service).Single(static service => service.Name == "TaskPoolService").Method.Count);
    }

    private static async Task<TResponse> AskAsync<TRequest, TResponse>(AsyncDuplexStreamingCall<TRequest, TResponse> call, TRequest request)
    {
        await call.RequestStream.WriteAsync(request, TestContext.Current.CancellationToken);
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        return call.ResponseStream.Current;
    }
}
