using System.Net;
using GrpcPool.Core.Hosting;
using Microsoft.AspNetCore.Connections;

namespace GrpcPool.Server.Hosting;

/// <summary>
/// Sockets that take new connections at a bounded pace, and those that are of no use at a tenth of it: each costs the server far more than whoever opens it. Those beyond wait in the
/// kernel's backlog; those that stand already do not notice.
/// </summary>
internal sealed class PacedTransport(IConnectionListenerFactory sockets, TimeProvider time) : IConnectionListenerFactory
{
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new PacedListener(await sockets.BindAsync(endpoint, cancellationToken).ConfigureAwait(false), time);

    private sealed class PacedListener(IConnectionListener sockets, TimeProvider time) : IConnectionListener
    {
        /// <summary>How many there may be in a second, and how many of them count for one that was of no use.</summary>
        private const int PerSecond = 1000, Useless = 10;

        /// <summary>Who stays longer than this does not flood, whether or not a call has ended by then.</summary>
        private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

        private readonly Pace _pace = new(PerSecond, new RateOptions(), time);
        private readonly Pace _all = ConnectionPace.OfAll(time);
        private readonly CancellationTokenSource _unbound = new();

        public EndPoint EndPoint => sockets.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (_pace.Wait is var wait && wait > TimeSpan.Zero)
                await Task.Delay(wait, time, _unbound.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ConnectionContext? connection = await sockets.AcceptAsync(cancellationToken).ConfigureAwait(false);
            if (connection is null)
                return null;
            _pace.Charge(1);
            (var own, long begin) = (new ConnectionPace(time, _all), time.GetTimestamp());
            connection.Features.Set(own);
            connection.ConnectionClosed.UnsafeRegister(
                _ =>
                {
                    if (!own.IsOfUse && time.GetElapsedTime(begin) < Short)
                        _pace.Charge(Useless - 1);
                },
                null);
            return connection;
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _unbound.CancelAsync().ConfigureAwait(false);
            await sockets.UnbindAsync(cancellationToken).ConfigureAwait(false);
        }

        public async ValueTask DisposeAsync()
        {
            await sockets.DisposeAsync().ConfigureAwait(false);
            _unbound.Dispose();
        }
    }
}
