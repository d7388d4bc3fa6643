using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Health.V1;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Hosting;

/// <summary>The server names its methods itself: none may be left out, and each must be of the sort that the contract says.</summary>
public sealed class ServiceMethodsTests
{
    private static readonly ServiceDescriptor[] Contracts = [TaskPoolService.Descriptor, WorkerService.Descriptor, ScheduleService.Descriptor, PoolAdminService.Descriptor, Health.Descriptor];

    public static TheoryData<string> Services => [.. Contracts.Select(static contract => contract.FullName)];

    [Theory(Timeout = 20_000)]
    [MemberData(nameof(Services))]
    public async Task Every_method_of_a_contract_is_answered(string service)
    {
        await using TestServer server = await TestServer.StartAsync();
        ServiceDescriptor contract = Contracts.Single(contract => contract.FullName == service);
        Assert.Equal(
            contract.Methods.Select(static method => (method.Name, Sort(method))).Order(),
            server.Rpcs.Where(rpc => rpc.ServiceName == service).Select(static rpc => (rpc.Name, rpc.Type)).Order());
    }

    private static MethodType Sort(MethodDescriptor method) => (method.IsClientStreaming, method.IsServerStreaming) switch
    {
        (false, false) => MethodType.Unary,
        (false, true) => MethodType.ServerStreaming,
        (true, false) => MethodType.ClientStreaming,
        _ => MethodType.DuplexStreaming,
    };
}
