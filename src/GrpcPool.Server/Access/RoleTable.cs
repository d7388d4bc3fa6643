using System.Collections.Frozen;

namespace GrpcPool.Server.Access;

/// <summary>What an RPC asks of its caller.</summary>
/// <param name="Role">The role that its token must have.</param>
/// <param name="Confined">Whether a token that is confined to queues or kinds may call it: its service then leaves out what lies outside.</param>
internal readonly record struct RpcRule(Role Role, bool Confined);

/// <summary>The one table of which role each RPC asks for. An RPC that is not in it is denied to everybody.</summary>
internal static class RoleTable
{
    private static readonly FrozenDictionary<string, RpcRule> Rules = ((IEnumerable<KeyValuePair<string, RpcRule>>)
    [
        .. Of("grpcpool.v1.TaskPoolService", Role.Submit, confined: true, "Submit", "SubmitBatch", "SubmitStream", "SubmitAndWatch", "Cancel"),
        .. Of("grpcpool.v1.TaskPoolService", Role.Read, confined: true, "GetStatus", "Wait", "Watch", "List", "Count", "ReadLog"),
        .. Of("grpcpool.v1.TaskPoolService", Role.Work, confined: true, "Complete"),
        .. Of("grpcpool.v1.TaskPoolService", Role.Operate, confined: true, "CancelMatching", "Retry", "RetryMatching", "Delete"),
        .. Of("grpcpool.v1.WorkerService", Role.Work, confined: true, "Connect"),
        .. Of("grpcpool.v1.ScheduleService", Role.Submit, confined: false, "CreateSchedule", "UpdateSchedule"),
        .. Of("grpcpool.v1.ScheduleService", Role.Read, confined: false, "GetSchedule", "ListSchedules", "ListUpcoming"),
        .. Of("grpcpool.v1.ScheduleService", Role.Operate, confined: false, "PauseSchedule", "ResumeSchedule", "TriggerSchedule", "DeleteSchedule"),
        .. Of("grpcpool.v1.PoolAdminService", Role.Read, confined: false, "GetPool", "WatchPool", "ListWorkers"),
        .. Of("grpcpool.v1.PoolAdminService", Role.Operate, confined: false, "PurgeQueue", "DrainWorker"),
        .. Of("grpcpool.v1.PoolAdminService", Role.Admin, confined: false, "ResizePool", "UpdateQueue", "PauseQueue", "ResumeQueue", "Drain", "Backup"),
        .. Of("grpc.health.v1.Health", Role.None, confined: true, "Check", "List", "Watch"),
        .. Of("grpc.reflection.v1.ServerReflection", Role.Read, confined: true, "ServerReflectionInfo"),
        .. Of("grpc.reflection.v1alpha.ServerReflection", Role.Read, confined: true, "ServerReflectionInfo"),
    ]).ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>All rules, by the full name of the RPC.</summary>
    public static IEnumerable<KeyValuePair<string, RpcRule>> All => Rules;

    /// <param name="method">The full name, such as <c>/grpcpool.v1.TaskPoolService/Submit</c>.</param>
    public static RpcRule? Find(string method) => Rules.TryGetValue(method, out RpcRule rule) ? rule : null;

    private static IEnumerable<KeyValuePair<string, RpcRule>> Of(string service, Role role, bool confined, params string[] methods) =>
        methods.Select(method => KeyValuePair.Create($"/{service}/{method}", new RpcRule(role, confined)));
}
