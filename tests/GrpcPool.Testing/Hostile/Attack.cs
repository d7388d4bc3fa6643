using System.Net.Sockets;

namespace GrpcPool.Testing.Hostile;

/// <summary>What an attack needs: whom, until when, and how much it has done. Thread-safe.</summary>
internal sealed class Attack(Uri address, CancellationToken stop, int calls = 2)
{
    private long _done;

    public Uri Address => address;

    public CancellationToken Stop => stop;

    public long Done => Interlocked.Read(ref _done);

    /// <summary>How many calls are made at a time, where each is answered.</summary>
    public int Calls => calls;

    public void Count(long done) => Interlocked.Add(ref _done, done);

    /// <summary>Does something over each of so many connections, and over another one whenever the server has ended it, until the attack is stopped.</summary>
    public Task OverAsync(int connections, Func<RawConnection, Task> use) => Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using RawConnection connection = await RawConnection.OpenHttp2Async(address, stop);
                await use(connection);
            }
            catch (Exception end) when (end is IOException or SocketException or OperationCanceledException)
            {
                // The server has had enough, or the attack is over.
            }
        }
    }));
}
