using Google.Protobuf;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Workers;
using GrpcPool.V1;
using Failure = GrpcPool.Core.Tasks.Failure;
using FailureCode = GrpcPool.Core.Tasks.FailureCode;

namespace GrpcPool.Server.Services;

/// <summary>Reads what the holders of leases say.</summary>
internal static class LeaseReader
{
    private const int ContentTypeBytesMax = 255;

    public static (TaskId Id, LeaseToken Token, TaskOutcome Outcome) Read(CompleteRequest request, string @namespace)
    {
        var checks = new FieldChecks();
        checks.Require(request.Lease is not null, "lease", "must be set");
        checks.Id(request.Lease?.TaskId ?? "", "lease.task_id");
        LeaseToken? token = TokenOf(request.Lease?.Token ?? ByteString.Empty);
        checks.Require(token is not null, "lease.token", "must be the bytes that were handed over");
        checks.Bytes(request.ContentType, ContentTypeBytesMax, "content_type");
        checks.Require(request.Failure is null || (request.Result.IsEmpty && request.ContentType.Length == 0), "failure", "must not be set beside a result");
        TaskOutcome outcome = request.Failure is { } failure ? Failed(failure, "failure", checks) : TaskOutcome.Succeeded(request.Result.Memory, request.ContentType);
        checks.ThrowIfAny();
        return (new TaskId(@namespace, request.Lease!.TaskId), token!.Value, outcome);
    }

    public static WorkerHello Read(Hello hello, string @namespace)
    {
        var checks = new FieldChecks(new FieldPath("hello"));
        checks.Id(hello.WorkerName, "worker_name");
        checks.Require(hello.Kinds.Count is > 0 and <= 1000, "kinds", "must be 1 to 1,000");
        for (int i = 0; i < hello.Kinds.Count; i++)
            checks.Name(hello.Kinds[i], $"kinds[{i}]");
        checks.Range(hello.Slots, 1, 10_000, "slots");
        checks.Labels(hello.Labels, "labels");
        checks.ThrowIfAny();
        return new WorkerHello(hello.WorkerName, @namespace, hello.Kinds.ToHashSet(StringComparer.Ordinal), hello.Slots, new Dictionary<string, string>(hello.Labels));
    }

    public static IReadOnlyList<LeaseReport> Read(Reports reports)
    {
        var checks = new FieldChecks(new FieldPath("reports"));
        var read = new LeaseReport[reports.Items.Count];
        for (int i = 0; i < read.Length; i++)
            read[i] = Read(reports.Items[i], i, checks);
        checks.ThrowIfAny();
        return read;
    }

    public static LeaseToken? TokenOf(ByteString token) => LeaseToken.Read(token.Span);

    /// <summary>Most reports are of a success without a media type, which nothing can be wrong with: what their fields are called is not put together.</summary>
    private static LeaseReport Read(Report report, int index, FieldChecks checks)
    {
        Lease lease = report.Lease ?? new Lease();
        var read = new LeaseReport(lease.TaskId, lease.Attempt, TokenOf(lease.Token));
        switch (report.ReportCase)
        {
            case Report.ReportOneofCase.Progress:
                return read with { Progress = (report.Progress.Fraction, report.Progress.Message) };
            case Report.ReportOneofCase.Log:
                return read with { Log = report.Log.Memory };
            case Report.ReportOneofCase.Succeeded:
                if (report.Succeeded.ContentType.Length > 0)
                    checks.Bytes(report.Succeeded.ContentType, ContentTypeBytesMax, $"items[{index}].succeeded.content_type");
                return read with { Outcome = TaskOutcome.Succeeded(report.Succeeded.Result.Memory, report.Succeeded.ContentType) };
            case Report.ReportOneofCase.Failed:
                return read with { Outcome = Failed(report.Failed, $"items[{index}].failed", checks) };
            case Report.ReportOneofCase.Released:
                return read with { Outcome = TaskOutcome.Released(began: false) };
            default:
                checks.Require(false, $"items[{index}]", "must say something");
                return read;
        }
    }

    private static TaskOutcome Failed(V1.Failure failure, string field, FieldChecks checks)
    {
        bool known = failure.Code == V1.FailureCode.Unspecified || Enum.IsDefined((FailureCode)failure.Code);
        checks.Require(known, $"{field}.code", "must be a code of the contract");
        FailureCode code = failure.Code == V1.FailureCode.Unspecified ? FailureCode.HandlerError : (FailureCode)failure.Code;
        return TaskOutcome.Failed(new Failure(code, failure.Message, failure.Retryable, failure.Detail));
    }
}
