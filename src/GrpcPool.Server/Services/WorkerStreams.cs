using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Workers;
using GrpcPool.V1;
using Held = GrpcPool.Core.Workers.Assignment;

namespace GrpcPool.Server.Services;

/// <summary>Carries what workers say to their sessions, and what they are to be told back.</summary>
internal sealed class WorkerStreams(TaskPool pool, WriteDeadline deadline)
{
    /// <summary>No message of the server is larger: clients stop at 4 MiB.</summary>
    private const int MessageBytesMax = 3_500_000;

    /// <summary>Runs one stream from its hello to its end.</summary>
    public async Task RunAsync(WorkerStream stream, IAsyncStreamReader<ConnectRequest> requests, IServerStreamWriter<PackedResponse> responses, ServerCallContext context)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stream.Ended, pool.Closed);
        try
        {
            Task writing = WriteAsync(stream, responses, context, ending.Token);
            Task reading = ReadAsync(stream.Session, requests, ending.Token);
            Task first = await Task.WhenAny(reading, writing).ConfigureAwait(false);
            if (first == reading && reading.IsCompletedSuccessfully)
                first = writing; // What it has reported is still answered.
            try
            {
                await first.ConfigureAwait(false);
            }
            finally
            {
                await ending.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(reading, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (OperationCanceledException) when (stream.Reason is { } reason)
        {
            throw reason;
        }
        catch (OperationCanceledException) when (pool.Closed.IsCancellationRequested)
        {
            throw new PoolClosedException();
        }
        finally
        {
            pool.Workers.Disconnect(stream);
        }
    }

    private static async Task ReadAsync(WorkerSession session, IAsyncStreamReader<ConnectRequest> requests, CancellationToken ending)
    {
        while (await requests.MoveNext(ending).ConfigureAwait(false))
        {
            ConnectRequest request = requests.Current;
            switch (request.MessageCase)
            {
                case ConnectRequest.MessageOneofCase.Credit:
                    var checks = new FieldChecks();
                    checks.Require(request.Credit.Slots > 0, "credit.slots", "must be at least 1");
                    checks.ThrowIfAny();
                    session.AddCredit(request.Credit.Slots);
                    break;
                case ConnectRequest.MessageOneofCase.Reports:
                    await session.ReportAsync(request.Reports.Sequence, LeaseReader.Read(request.Reports)).ConfigureAwait(false);
                    break;
                case ConnectRequest.MessageOneofCase.Heartbeat:
                    session.Heartbeat(request.Heartbeat.ReceivedSequence, request.Heartbeat.Tokens.Select(LeaseReader.TokenOf));
                    break;
                case ConnectRequest.MessageOneofCase.Draining:
                    session.Drain();
                    break;
                default:
                    throw new PoolErrorException(new PoolError.InvalidFields([new FieldViolation("message", "must be set, and hello is the first only")]));
            }
        }

        session.Leave();
    }

    private async Task WriteAsync(WorkerStream stream, IServerStreamWriter<PackedResponse> responses, ServerCallContext context, CancellationToken ending)
    {
        await SendAsync(PackedResponse.Of(new ConnectResponse { Welcome = WelcomeOf(stream.Session) })).ConfigureAwait(false);
        Task<WorkerMail?> next = stream.Session.NextMailAsync(stream, ending).AsTask();
        while (true)
        {
            try
            {
                if (await next.WaitAsync(pool.Options.Workers.HeartbeatInterval, pool.Time, CancellationToken.None).ConfigureAwait(false) is not { } mail)
                    return;
                foreach (PackedResponse message in Messages(mail, stream.Session))
                    await SendAsync(message).ConfigureAwait(false);
                next = stream.Session.NextMailAsync(stream, ending).AsTask();
            }
            catch (TimeoutException)
            {
                await SendAsync(PackedResponse.Of(new ConnectResponse { Heartbeat = new PoolHeartbeat() })).ConfigureAwait(false);
            }
        }

        Task SendAsync(PackedResponse message) => deadline.HoldAsync(responses.WriteAsync(message, CancellationToken.None), known: 0, context);
    }

    private IEnumerable<PackedResponse> Messages(WorkerMail mail, WorkerSession session)
    {
        foreach (LeaseName lost in mail.Lost)
            yield return PackedResponse.Of(new ConnectResponse { LeaseLost = new LeaseLost { Lease = ToLease(lost) } });
        foreach (StopNotice stop in mail.Stops)
        {
            yield return PackedResponse.Of(new ConnectResponse
            {
                Cancel = new CancelAttempt { Lease = ToLease(stop.Lease), Reason = Describe(stop.Reason), Grace = Duration.FromTimeSpan(stop.Grace) },
            });
        }

        if (mail.Accepted is { } sequence)
            yield return PackedResponse.Of(new ConnectResponse { Accepted = new Accepted { Sequence = sequence } });
        foreach (PackedResponse assignments in Cut(mail.Assignments, session))
            yield return assignments;
        if (mail.Drain)
            yield return PackedResponse.Of(new ConnectResponse { Drain = new Drain() });
    }

    private IEnumerable<PackedResponse> Cut(IReadOnlyList<Held> held, WorkerSession session)
    {
        var items = new List<byte[]>(held.Count);
        int first = 0, bytes = 0;
        for (int i = 0; i < held.Count; i++)
        {
            AttemptContext attempt = held[i].Context!;
            byte[] item = Packing.ToAssignment(ToLease(LeaseName.Of(held[i])), pool.View(attempt.Task), attempt.Headers);
            if (i > first && bytes + item.Length > MessageBytesMax)
            {
                yield return Number(items, held, first, i, session);
                (items, first, bytes) = ([], i, 0);
            }

            items.Add(item);
            bytes += item.Length;
        }

        if (held.Count > 0)
            yield return Number(items, held, first, held.Count, session);
    }

    private static PackedResponse Number(List<byte[]> items, IReadOnlyList<Held> held, int first, int end, WorkerSession session) =>
        PackedResponse.OfAssignments(items, session.Number(held.Skip(first).Take(end - first)));

    private Welcome WelcomeOf(WorkerSession session) => new()
    {
        WorkerId = session.Id,
        LeaseDuration = Duration.FromTimeSpan(pool.Options.Workers.LeaseDuration),
        HeartbeatInterval = Duration.FromTimeSpan(pool.Options.Workers.HeartbeatInterval),
        ResultBytesMax = pool.Options.Limits.ResultBytesMax,
    };

    private static Lease ToLease(LeaseName name) => new() { TaskId = name.TaskId, Attempt = name.Attempt, Token = UnsafeByteOperations.UnsafeWrap(name.Token) };

    private static string Describe(StopReason reason) => reason switch
    {
        StopReason.Cancelled => "the task was cancelled",
        StopReason.RunTimeout => "the attempt took longer than its run_timeout",
        StopReason.TotalTimeout => "the task took longer than its total_timeout",
        _ => "the pool shuts down",
    };
}
