using GrpcPool.Core.Administration;
using GrpcPool.Core.Hosting;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>From the contract's wish for a queue to the domain's. The ranges are those of the settings.</summary>
internal static class QueueUpdateReader
{
    public static QueueUpdate Read(UpdateQueueRequest request)
    {
        var checks = new FieldChecks();
        bool any = request.HasLimit || request.HasWeight || request.HasCapacity || request.Reset || request.WhenFull != FullQueuePolicy.Unspecified;
        checks.Name(request.Queue, "queue");
        checks.Require(any, "limit", "or another field must be set: nothing would change");
        checks.Range(request.Limit, 0, 1_000_000, "limit");
        checks.Range(request.HasWeight ? request.Weight : 1, 1, 1_000, "weight");
        checks.Range(request.HasCapacity ? request.Capacity : 1, 1, 1_000_000_000, "capacity");
        checks.Require(Enum.IsDefined(request.WhenFull), "when_full", "must be a policy of the contract");
        checks.ThrowIfAny();
        return new QueueUpdate(request.Queue)
        {
            Limit = request.HasLimit ? request.Limit : null,
            Weight = request.HasWeight ? request.Weight : null,
            Capacity = request.HasCapacity ? request.Capacity : null,
            WhenFull = ReadPolicy(request.WhenFull),
            Reset = request.Reset,
        };
    }

    private static FullPolicy? ReadPolicy(FullQueuePolicy policy) => policy switch
    {
        FullQueuePolicy.Reject => FullPolicy.Reject,
        FullQueuePolicy.Wait => FullPolicy.Wait,
        FullQueuePolicy.DiscardOldest => FullPolicy.DiscardOldest,
        _ => null,
    };
}
