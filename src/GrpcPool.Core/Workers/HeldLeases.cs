using GrpcPool.Core.Handlers;

namespace GrpcPool.Core.Workers;

/// <summary>The leases of one worker, and what it says of them. Guarded by the lock of its session.</summary>
/// <param name="session">Whose they are.</param>
/// <param name="workers">Knows leases that a former process of the pool has given.</param>
internal sealed class HeldLeases(WorkerSession session, WorkerRegistry workers)
{
    private readonly Dictionary<long, Assignment> _held = [];
    private long _heartbeats;

    /// <summary>The newest stream on which the worker has said what it holds.</summary>
    private int _toldStream;

    public int Count => _held.Count;

    public IReadOnlyCollection<Assignment> All => _held.Values;

    public void Add(Assignment assignment) => _held.Add(assignment.Token.Claim, assignment);

    public bool Has(Assignment assignment) => _held.ContainsKey(assignment.Token.Claim);

    public bool Remove(Assignment assignment) => _held.Remove(assignment.Token.Claim);

    /// <summary>One of its own, or one that a former process of the pool gave it, which it is adopted as; null where the lease does not stand.</summary>
    public Assignment? Find(LeaseToken token, long heardAt)
    {
        if (_held.TryGetValue(token.Claim, out Assignment? held))
            return held.Token == token ? held : null;
        if (!workers.TryAdopt(token, session, out Assignment? orphan))
            return null;
        orphan.Renew(heardAt);
        _held.Add(token.Claim, orphan);
        return orphan;
    }

    /// <summary>Renews exactly those that a heartbeat names, and answers which of the others have ended, and how.</summary>
    /// <param name="tokens">What it names; null for what is no token.</param>
    /// <param name="received">The newest message of assignments that has reached the worker.</param>
    /// <param name="stream">The stream on which it says so.</param>
    /// <param name="heardAt">When.</param>
    /// <param name="strange">Hears of what it names and does not hold.</param>
    public List<(Assignment Assignment, TaskOutcome Outcome)> Renew(IEnumerable<LeaseToken?> tokens, long received, int stream, long heardAt, Action<LeaseToken?> strange)
    {
        _toldStream = stream;
        long number = ++_heartbeats;
        foreach (LeaseToken? token in tokens)
        {
            if (token is not { } shown || Find(shown, heardAt) is not { } held)
            {
                strange(token);
                continue;
            }

            held.NamedBy = number;
            held.Renew(heardAt);
        }

        var ended = new List<(Assignment, TaskOutcome)>();
        foreach (Assignment held in _held.Values.Where(held => held.NamedBy != number && !held.IsReported))
        {
            if (held.Sequence != 0 && held.Sequence <= received)
                ended.Add((held, TaskOutcome.Lost()));
            else if (held.Stream != 0 && held.Stream < stream)
                ended.Add((held, TaskOutcome.Released(began: false))); // Lost on its way, on the stream before.
        }

        return ended;
    }

    /// <summary>
    /// Whether the worker has yet to say what has reached it of what was sent on the streams before. Newer assignments wait for that: the number of one that it has received
    /// would be taken to mean that the older ones, which were lost on their way, had reached it and were dropped.
    /// </summary>
    /// <param name="stream">The newest stream.</param>
    public bool IsInDoubt(int stream) => _toldStream < stream && _held.Values.Any(held => held.Stream != 0 && held.Stream < stream && !held.IsReported);
}
