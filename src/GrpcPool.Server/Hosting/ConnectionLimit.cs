using System.Diagnostics.CodeAnalysis;
using GrpcPool.Core.Execution;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Hosting;

/// <summary>Refuses connections above a number, and ends those that are left when the pool has closed.</summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the server.")]
internal sealed class ConnectionLimit
{
    /// <summary>How long clients may take to read their last answers before their connection is cut.</summary>
    private static readonly TimeSpan LastAnswers = TimeSpan.FromSeconds(1);

    /// <summary>How often refusals are told: whoever makes them happen decides how many there are.</summary>
    private static readonly TimeSpan Telling = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _cut = new();
    private readonly int _max;
    private readonly Seldom _telling;
    private readonly ILogger _log;
    private int _open;

    public ConnectionLimit(int max, TaskPool pool, ILogger log)
    {
        (_max, _telling, _log) = (max, new Seldom(pool.Time, Telling), log);
        pool.Closed.UnsafeRegister(static cut => ((CancellationTokenSource)cut!).CancelAfter(LastAnswers), _cut);
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
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    };
}
