using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcPool.V1;

namespace GrpcPool.Client;

/// <summary>A watch that outlives its streams: it resumes after the last revision, and where that is not possible it starts anew and says so.</summary>
internal sealed class ResumingWatch : IDisposable
{
    private readonly PoolLink _link;
    private readonly WatchRequest _request;
    private readonly Patience _patience;
    private WatchStream? _stream;
    private bool _told;
    private bool _restarted;

    private ResumingWatch(PoolLink link, WatchRequest request)
    {
        (_link, _request, _patience) = (link, request, new Patience(link.Options.ReconnectFor, link.Time));
        _request.Heartbeat = Duration.FromTimeSpan(WatchStream.Heartbeat);
    }

    public static async IAsyncEnumerable<TaskEvent> ReadAsync(PoolLink link, WatchRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var watch = new ResumingWatch(link, request);
        while (true)
        {
            long before = request.AfterRevision;
            if (await watch.NextAsync(cancellation).ConfigureAwait(false) is not { } message)
                yield break;
            for (int i = 0; i < message.Events.Count; i++)
            {
                WatchEvent told = message.Events[i];
                yield return new TaskEvent(told.Type, told.Task, i == message.Events.Count - 1 ? message.Revision : before, watch.TakeRestarted());
            }
        }
    }

    public void Dispose() => _stream?.Dispose();

    private async Task<WatchResponse?> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            TimeSpan pause;
            try
            {
                _stream ??= new WatchStream(_link, _request, cancellation);
                WatchResponse? message = await _stream.NextAsync().ConfigureAwait(false);
                _patience.Renew();
                _request.AfterRevision = message?.Revision is > 0 and long revision ? revision : _request.AfterRevision;
                return message;
            }
            catch (RpcException error) when (cancellation.IsCancellationRequested)
            {
                throw new OperationCanceledException(error.Message, error, cancellation);
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.NotFound && _request.Ids is [var id])
            {
                throw new TaskGoneException(id, error);
            }
            catch (RpcException error) when (error.StatusCode == StatusCode.OutOfRange && _request.AfterRevision > 0)
            {
                (_request.AfterRevision, _request.SkipSnapshot, _told, pause) = (0, false, true, TimeSpan.Zero);
            }
            catch (RpcException error) when (_patience.Allows(error, out pause))
            {
            }

            Close();
            await Task.Delay(pause, _link.Time, cancellation).ConfigureAwait(false);
        }
    }

    private void Close()
    {
        _stream?.Dispose();
        _stream = null;
        _restarted = _told && _request.AfterRevision == 0;
    }

    private bool TakeRestarted()
    {
        (bool restarted, _restarted, _told) = (_restarted, false, true);
        return restarted;
    }
}
