using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Hosting;

/// <summary>Refuses connections above a number, ends those that are left when the pool has closed, and lets go of those that have ended.</summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the server.")]
internal sealed class ConnectionLimit
{
    /// <summary>How long clients may take to read their last answers before their connection is cut.</summary>
    private static readonly TimeSpan LastAnswers = TimeSpan.FromSeconds(1);

    /// <summary>How often refusals are told: whoever makes them happen decides how many there are.</summary>
    private static readonly TimeSpan Telling = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long calls may go on when their connection has ended. Kestrel waits for them, and for ever where a client has sent calls faster than it read the answers: their ends are
    /// queued for the connection, and those above the bound of that queue are lost. Such a connection would keep its memory, and its place among all.
    /// </summary>
    public static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _cut = new();
    private readonly TimeProvider _time;
    private readonly int _max;
    private readonly Seldom _telling;
    private readonly ILogger _log;
    private int _open;

    /// <param name="max">How many connections there may be.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where it is told what was done to whom.</param>
    /// <param name="closed">Fires when the pool has closed.</param>
    public ConnectionLimit(int max, TimeProvider time, ILogger log, CancellationToken closed)
    {
        (_max, _time, _telling, _log) = (max, time, new Seldom(time, Telling), log);
        closed.UnsafeRegister(static cut => ((CancellationTokenSource)cut!).CancelAfter(LastAnswers), _cut);
    }

    public ConnectionDelegate Wrap(ConnectionDelegate next) => async connection =>
    {
        try
        {
            if (Interlocked.Increment(ref _open) > _max)
            {
                if (_telling.MayTell())
                    Log.ConnectionRefused(_log, _max);
                connection.Abort();
                return;
            }

            using CancellationTokenRegistration cut = _cut.Token.UnsafeRegister(static connection => ((ConnectionContext)connection!).Abort(), connection);
            await UntilEndAsync(next(connection), connection.ConnectionClosed).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    };

    private async Task UntilEndAsync(Task serving, CancellationToken closed)
    {
        await serving.WaitAsync(closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await serving.WaitAsync(Linger, _time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (serving.IsCompleted)
            await serving.ConfigureAwait(false);
        else if (_telling.MayTell())
            Log.ConnectionLeft(_log, Linger);
    }
}
