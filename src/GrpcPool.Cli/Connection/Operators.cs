using GrpcPool.Client;
using GrpcPool.V1;

namespace GrpcPool.Cli.Connection;

/// <summary>The part of the contract that is for operators.</summary>
internal static class Operators
{
    public static PoolAdminService.PoolAdminServiceClient Admin(this GrpcPoolClient client) => new(client.Invoker);
}
