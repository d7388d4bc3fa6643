using System.CommandLine;

namespace GrpcPool.Cli.Connection;

/// <summary>The same call for several tasks.</summary>
internal static class EachTask
{
    /// <summary>Calls for one after the other; a fault is told, and the others have their turn.</summary>
    /// <returns>The exit code: of the first fault, where there was one.</returns>
    public static async Task<int> CallAsync(ParseResult result, IReadOnlyList<string> ids, Func<string, Task> call)
    {
        int code = ExitCodes.Ended;
        foreach (string id in ids)
        {
            try
            {
                await call(id).ConfigureAwait(false);
            }
            catch (Grpc.Core.RpcException error) when (error.StatusCode is Grpc.Core.StatusCode.NotFound or Grpc.Core.StatusCode.FailedPrecondition)
            {
                Fault fault = Fault.Of(error, result.GetValue(ServerAddress.Option)!)!;
                fault.Tell();
                code = code == ExitCodes.Ended ? fault.Code : code;
            }
        }

        return code;
    }
}
