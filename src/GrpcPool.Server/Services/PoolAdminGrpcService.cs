using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>The pool's contract for operators. Holds no state.</summary>
internal sealed class PoolAdminGrpcService(TaskPool pool) : PoolAdminService.PoolAdminServiceBase
{
    private const int PathCharactersMax = 4096;

    public override async Task<BackupResponse> Backup(BackupRequest request, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Require(Path.IsPathFullyQualified(request.Path) && request.Path.Length <= PathCharactersMax, "path", $"must be an absolute path of at most {PathCharactersMax} characters");
        checks.ThrowIfAny();
        return new BackupResponse { SizeBytes = await pool.BackUpAsync(request.Path, context.CancellationToken).ConfigureAwait(false) };
    }
}
