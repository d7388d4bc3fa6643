namespace GrpcPool.Core.Execution;

/// <summary>Somebody who takes turns with others, by weight.</summary>
/// <param name="ordinal">Which of equals goes first.</param>
internal abstract class Turn(long ordinal)
{
    private readonly long _ordinal = ordinal;

    /// <summary>How much it has started in proportion to its weight.</summary>
    private double _pass;

    /// <summary>Its share against the others.</summary>
    public abstract int Weight { get; }

    /// <summary>Those who have something to start, of one sort: who has started the least goes next (stride scheduling, Waldspurger and Weihl 1995).</summary>
    public sealed class Order<T>
        where T : Turn
    {
        private static readonly Comparer<T> ByPass = Comparer<T>.Create(static (one, other) =>
            one._pass.CompareTo(other._pass) is not 0 and var order ? order : one._ordinal.CompareTo(other._ordinal));

        /// <summary>A pass changes only while it is not in here.</summary>
        private readonly SortedSet<T> _waiting = new(ByPass);
        private double _pass;

        /// <summary>Who goes next; null for nobody.</summary>
        public T? Next => _waiting.Min;

        public bool IsEmpty => _waiting.Count == 0;

        /// <summary>It has something to start. One that had nothing for a while gains nothing by it.</summary>
        public void Add(T one)
        {
            if (_waiting.Count > 0 && _waiting.Contains(one))
                return;
            one._pass = Math.Max(one._pass, _pass);
            _waiting.Add(one);
        }

        public void Remove(T one) => _waiting.Remove(one);

        /// <summary>It has started something; it is in here no more.</summary>
        public void Charge(T one, int slots)
        {
            _waiting.Remove(one);
            _pass = Math.Max(one._pass, _pass);
            one._pass = _pass + ((double)slots / one.Weight);
        }
    }
}

/// <summary>The queues of one namespace as one station sees them. Guarded by the dispatcher's lock.</summary>
internal sealed class NamespaceState(int weight, long ordinal) : Turn(ordinal)
{
    public override int Weight => weight;

    /// <summary>The queues that have something to start and are below their limit.</summary>
    public Order<QueueState> Startable { get; } = new();

    /// <summary>How many queues the station knows of it.</summary>
    public int Queues { get; set; }
}
