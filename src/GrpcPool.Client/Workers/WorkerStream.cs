using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>One stream of a worker: reads what the pool says, and writes what there is to tell, all that has gathered in one message.</summary>
internal sealed class WorkerStream : IDisposable
{
    private static readonly TimeSpan WelcomeTimeout = TimeSpan.FromSeconds(30);
    private static readonly WriteOptions MoreFollows = new(WriteFlags.BufferHint), Whole = WriteOptions.Default;

    private readonly WorkerSession _session;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ending;
    private readonly AsyncDuplexStreamingCall<ConnectRequest, ConnectResponse> _call;
    private readonly TaskCompletionSource<Welcome> _welcomed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _pulse;
    private readonly CancellationTokenRegistration _leaving;
    private TimeSpan _silenceMax = WelcomeTimeout;
    private long _heardAt;
    private volatile bool _beat;

    /// <summary>How many more assignments the pool may be allowed; for the writer alone.</summary>
    private int _credit;
    private bool _saidDraining;

    public WorkerStream(WorkerSession session, WorkerService.WorkerServiceClient service, TimeProvider time, CancellationToken leave, CancellationToken cancellation)
    {
        (_session, _time, _heardAt) = (session, time, time.GetTimestamp());
        _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _call = service.Connect(new CallOptions(cancellationToken: _ending.Token));
        _pulse = time.CreateTimer(static stream => ((WorkerStream)stream!).OnPulse(), this, WelcomeTimeout, Timeout.InfiniteTimeSpan);
        _leaving = leave.UnsafeRegister(static stream => ((WorkerStream)stream!).OnLeave(), this);
    }

    /// <summary>Whether the pool has gone silent, so that the worker has broken the stream.</summary>
    public bool WasSilent { get; private set; }

    /// <summary>Works until the stream ends: in order when the worker has drained, otherwise with an error.</summary>
    /// <param name="hello">Who the worker is.</param>
    /// <param name="welcomed">Hears whether it is the one that it was.</param>
    /// <exception cref="RpcException">How the stream broke.</exception>
    public async Task RunAsync(Hello hello, Action<bool> welcomed)
    {
        Task writing = WriteAsync(hello);
        try
        {
            if (!await NextAsync().ConfigureAwait(false) || _call.ResponseStream.Current.Welcome is not { } welcome)
                throw new RpcException(new Status(StatusCode.Internal, "the pool did not begin with a welcome"));
            Begin(welcome);
            welcomed(welcome.WorkerId == hello.ResumeWorkerId);
            while (await NextAsync().ConfigureAwait(false))
                Take(_call.ResponseStream.Current);
            if (!writing.IsCompletedSuccessfully)
                throw new RpcException(new Status(StatusCode.Unavailable, "the pool ended the stream"));
        }
        finally
        {
            // How a stream broke is what its reader sees.
            await _ending.CancelAsync().ConfigureAwait(false);
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        _leaving.Dispose();
        _pulse.Dispose();
        _call.Dispose();
        _ending.Dispose();
    }

    private async ValueTask<bool> NextAsync()
    {
        bool any = await _call.ResponseStream.MoveNext(_ending.Token).ConfigureAwait(false);
        Volatile.Write(ref _heardAt, _time.GetTimestamp());
        return any;
    }

    private void Begin(Welcome welcome)
    {
        _session.Begin(welcome.WorkerId);
        _silenceMax = welcome.LeaseDuration.ToTimeSpan();
        TimeSpan interval = welcome.HeartbeatInterval.ToTimeSpan();
        _pulse.Change(interval, interval);
        _welcomed.SetResult(welcome);
    }

    /// <summary>Who has nothing to say need not wait until it is welcome.</summary>
    private void OnLeave()
    {
        if (!_welcomed.Task.IsCompleted && _session.IsIdle)
            _ending.Cancel();
    }

    private void OnPulse()
    {
        if (_time.GetElapsedTime(Volatile.Read(ref _heardAt)) >= _silenceMax)
        {
            WasSilent = true;
            try
            {
                _ending.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended already; its timer had fired before.
            }

            return;
        }

        _beat = true;
        _session.Look();
    }

    private void Take(ConnectResponse message)
    {
        switch (message.MessageCase)
        {
            case ConnectResponse.MessageOneofCase.Assignments:
                _session.Take(message.Assignments);
                break;
            case ConnectResponse.MessageOneofCase.Accepted:
                _session.Accept(message.Accepted.Sequence);
                break;
            case ConnectResponse.MessageOneofCase.Cancel:
                _session.Cancel(message.Cancel);
                break;
            case ConnectResponse.MessageOneofCase.LeaseLost:
                _session.Lose(message.LeaseLost.Lease);
                break;
            case ConnectResponse.MessageOneofCase.Drain:
                _session.Drain();
                break;
            default:
                // A heartbeat, or something that a newer pool says.
                break;
        }
    }

    private async Task WriteAsync(Hello hello)
    {
        try
        {
            await SendAsync(new ConnectRequest { Hello = hello }).ConfigureAwait(false);
            Welcome welcome = await _welcomed.Task.WaitAsync(_ending.Token).ConfigureAwait(false);
            foreach (Reports message in _session.Reports.Unaccepted())
                await SendAsync(new ConnectRequest { Reports = message }, MoreFollows).ConfigureAwait(false);
            await SendAsync(new ConnectRequest { Heartbeat = _session.Heartbeat() }).ConfigureAwait(false);
            _credit = _session.Free;
            do
            {
                await TellAsync(welcome.ResultBytesMax).ConfigureAwait(false);
                if (_saidDraining && _session.IsIdle)
                {
                    await LeaveAsync().ConfigureAwait(false);
                    return;
                }
            }
            while (await _session.News.WaitToReadAsync(_ending.Token).ConfigureAwait(false));
        }
        catch (RpcException)
        {
            // The reader sees it too.
            throw;
        }
        catch
        {
            await _ending.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Tells all that is new, and asks for as much as is free then.</summary>
    private async Task TellAsync(int resultBytesMax)
    {
        while (true)
        {
            ReportBatch batch = Gather(resultBytesMax);

            // Before what is given back, so that it does not come again.
            if (_session.IsDraining && !_saidDraining)
            {
                _saidDraining = true;
                await SendAsync(new ConnectRequest { Draining = new Draining() }, MoreFollows).ConfigureAwait(false);
            }

            await ReportAsync(batch).ConfigureAwait(false);
            if (_beat)
            {
                _beat = false;
                await SendAsync(new ConnectRequest { Heartbeat = _session.Heartbeat() }).ConfigureAwait(false);
            }

            if (!batch.IsFull)
                break;
        }

        if (_credit > 0 && MayTakeMore)
        {
            var credit = new Credit { Slots = _credit };
            _credit = 0;
            await SendAsync(new ConnectRequest { Credit = credit }).ConfigureAwait(false);
        }
    }

    private bool MayTakeMore => !_session.IsDraining && !_session.Reports.IsFull;

    private ReportBatch Gather(int resultBytesMax)
    {
        var batch = new ReportBatch();
        while (!batch.IsFull && _session.News.TryRead(out Attempt? attempt))
        {
            if (attempt is not null && attempt.Tell(batch, resultBytesMax))
                batch.Over.Add(attempt);
        }

        return batch;
    }

    private async Task ReportAsync(ReportBatch batch)
    {
        if (batch.Message.Items.Count > 0)
            _session.Reports.Add(batch.Message);
        if (batch.Over.Count > 0)
            _session.Return(batch.Over);
        _credit += batch.Over.Count;
        if (batch.Message.Items.Count > 0)
            await SendAsync(new ConnectRequest { Reports = batch.Message }, _credit > 0 && MayTakeMore ? MoreFollows : Whole).ConfigureAwait(false);
    }

    /// <summary>What was abandoned is named no more, so that it runs elsewhere at once.</summary>
    private async Task LeaveAsync()
    {
        if (_session.IsAbandoned)
            await SendAsync(new ConnectRequest { Heartbeat = _session.Heartbeat() }).ConfigureAwait(false);
        await _call.RequestStream.CompleteAsync().ConfigureAwait(false);
    }

    private Task SendAsync(ConnectRequest message, WriteOptions? options = null)
    {
        _call.RequestStream.WriteOptions = options ?? Whole;
        return _call.RequestStream.WriteAsync(message, _ending.Token);
    }
}
