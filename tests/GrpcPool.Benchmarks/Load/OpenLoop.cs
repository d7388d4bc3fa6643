using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcPool.V1;

namespace GrpcPool.Benchmarks.Load;

/// <summary>Submissions that come when they come, however slow the answers are. Each must be accepted, or refused with when to try again.</summary>
internal sealed class OpenLoop : IDisposable
{
    private const int Connections = 4;

    /// <summary>How many may be unanswered: a client that is not answered does not grow for ever.</summary>
    private const int UnansweredMax = 2000;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    private readonly GrpcChannel[] _channels;
    private readonly SubmitRequest _request;
    private readonly SemaphoreSlim _free = new(UnansweredMax);
    private long _accepted;
    private long _refused;
    private volatile Exception? _fault;

    public OpenLoop(ServerProcess pool, SubmitRequest request)
    {
        _channels = [.. Enumerable.Range(0, Connections).Select(_ => pool.OpenChannel())];
        _request = request;
    }

    public long Accepted => Interlocked.Read(ref _accepted);

    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Submits at a rate for a while, and waits for the answers.</summary>
    /// <returns>How many per second were sent.</returns>
    public async Task<double> OfferAsync(double perSecond, TimeSpan span)
    {
        long begin = TimeProvider.System.GetTimestamp();
        long sent = 0;
        for (TimeSpan now = TimeSpan.Zero; now < span; now = TimeProvider.System.GetElapsedTime(begin))
        {
            for (long due = (long)(now.TotalSeconds * perSecond); sent < due && _free.Wait(0); sent++)
                _ = SubmitAsync(new TaskPoolService.TaskPoolServiceClient(_channels[sent % Connections]));
            await Task.Delay(Tick, TimeProvider.System);
        }

        double seconds = TimeProvider.System.GetElapsedTime(begin).TotalSeconds;
        for (int i = 0; i < UnansweredMax; i++)
            await _free.WaitAsync();
        _free.Release(UnansweredMax);
        return _fault is null ? sent / seconds : throw _fault;
    }

    public void Dispose()
    {
        foreach (GrpcChannel channel in _channels)
            channel.Dispose();
        _free.Dispose();
    }

    private async Task SubmitAsync(TaskPoolService.TaskPoolServiceClient pool)
    {
        try
        {
            await pool.SubmitAsync(_request);
            Interlocked.Increment(ref _accepted);
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.ResourceExhausted && refusal.GetRpcStatus()?.GetDetail<RetryInfo>()?.RetryDelay is not null)
        {
            Interlocked.Increment(ref _refused);
        }
        catch (Exception fault)
        {
            _fault = fault;
        }
        finally
        {
            _free.Release();
        }
    }
}
