using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Watching;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>Writes watches to their streams.</summary>
internal sealed class WatchStreams(TaskPool pool, WriteDeadline deadline)
{
    private const int IdsMax = 1000;
    private static readonly TimeSpan HeartbeatDefault = TimeSpan.FromSeconds(15);

    public async Task WatchAsync(WatchRequest request, IServerStreamWriter<PackedResponse> stream, string @namespace, ServerCallContext context)
    {
        using Watch watch = pool.Watch(ReadQuery(request, @namespace, context));
        await WriteAsync(watch.ReadAsync(context.CancellationToken), watch.Place, request.View, (events, revision) => stream.WriteAsync(PackedResponse.OfEvents(events, revision)), context).ConfigureAwait(false);
    }

    public async Task SubmitAndWatchAsync(SubmitAndWatchRequest request, IServerStreamWriter<SubmitAndWatchResponse> stream, string @namespace, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.View(request.View);
        checks.ThrowIfAny();
        NewTask task = Submissions.Read(pool, request.Task, @namespace, context);
        using Watch watch = pool.Watch(new WatchQuery { Ids = [task.Id], Heartbeat = HeartbeatDefault });
        SubmitResult accepted = Submissions.Accepted(pool, task, await pool.SubmitAsync(task, context.CancellationToken).ConfigureAwait(false));
        bool first = accepted.Verdict == SubmitVerdict.Created;
        using Watch? holder = accepted.Task!.Id == task.Id ? null : pool.Watch(new WatchQuery { Ids = [accepted.Task.Id], Heartbeat = HeartbeatDefault });
        IAsyncEnumerable<WatchBatch> batches = holder?.ReadAsync(context.CancellationToken) ?? watch.ReadFromAsync(accepted.Task, context.CancellationToken);
        await WriteAsync(batches, (holder ?? watch).Place, Caller.View(request.View, context), WriteFirstAsync, context).ConfigureAwait(false);

        Task WriteFirstAsync(IReadOnlyList<byte[]> events, long revision)
        {
            var response = new SubmitAndWatchResponse { Created = first, Events = { events.SelectMany(static told => WatchResponse.Parser.ParseFrom(told).Events) }, Revision = revision };
            first = false;
            return stream.WriteAsync(response);
        }
    }

    private async Task WriteAsync(IAsyncEnumerable<WatchBatch> batches, WatchPlace place, V1.TaskView view, Func<IReadOnlyList<byte[]>, long, Task> write, ServerCallContext context)
    {
        var mapping = new EventMapping(pool, view);
        long known = 0;
        await foreach (WatchBatch batch in batches.ConfigureAwait(false))
        {
            foreach ((IReadOnlyList<byte[]> events, long revision) in mapping.Cut(batch, known))
            {
                await deadline.HoldAsync(write(events, revision), known, context, place).ConfigureAwait(false);
                known = revision;
            }
        }
    }

    private static WatchQuery ReadQuery(WatchRequest request, string @namespace, ServerCallContext context)
    {
        var checks = new FieldChecks();
        checks.Require(request.Ids.Count > 0 != request.Filter is not null, "ids", "or filter must be set, and not both");
        checks.Require(request.Ids.Count <= IdsMax, "ids", $"must be at most {IdsMax}; watch more by a filter");
        checks.View(request.View);
        checks.Require(request.AfterRevision >= 0, "after_revision", "must not be negative");
        for (int i = 0; i < request.Ids.Count; i++)
            checks.Id(request.Ids[i], $"ids[{i}]");
        TimeSpan heartbeat = request.Heartbeat is null ? HeartbeatDefault : checks.Span(request.Heartbeat, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), "heartbeat");
        checks.ThrowIfAny();
        return new WatchQuery
        {
            Ids = [.. request.Ids.Select(id => new TaskId(@namespace, id))],
            Filter = request.Filter is null ? null : FilterReader.Read(request.Filter, context),
            AfterRevision = request.AfterRevision == 0 ? null : request.AfterRevision,
            SkipSnapshot = request.SkipSnapshot,
            Scope = Caller.Scope(context),
            Heartbeat = heartbeat,
        };
    }
}
