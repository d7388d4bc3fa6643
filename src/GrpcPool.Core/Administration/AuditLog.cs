using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Administration;

/// <summary>Tells the log what operators have changed: who, what, from what to what, and whether it came about.</summary>
internal sealed class AuditLog(ILogger log)
{
    public void Done(string by, string what, object before, object after) => Write(by, what, before, after, before.Equals(after) ? "no change" : "done");

    public void Write(string by, string what, object before, object after, string outcome) => Log.OperatorChanged(log, by, what, before, after, outcome);
}
