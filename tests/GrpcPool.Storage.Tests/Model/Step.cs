namespace GrpcPool.Storage.Tests.Model;

/// <summary>One command of a random history, with tasks by number: what it means is decided when it is carried out.</summary>
internal abstract record Step
{
    public sealed record Batch(int Seconds, Step[] Steps)
    {
        public override string ToString() => $"{Seconds} s: {string.Join<Step>(", ", Steps)}";
    }

    /// <param name="Id">Which task.</param>
    /// <param name="Key">0 for none, else a serial key.</param>
    /// <param name="Lane">Which queue and kind.</param>
    /// <param name="Slots">Its slots.</param>
    /// <param name="Priority">Its priority.</param>
    /// <param name="Delay">In seconds; 0 for none, below for the past.</param>
    /// <param name="Timeouts">Bits: start timeout, total timeout, at most once.</param>
    /// <param name="OtherSpec">Whether the hash is another than that of most.</param>
    public sealed record Submitted(int Id, int Key, int Lane, int Slots, int Priority, int Delay, int Timeouts, bool OtherSpec)
    {
        /// <summary>0 for none, else a unique key, and three policies of each.</summary>
        public int Unique { get; init; }

        /// <summary>The tasks after which it is to run, a bit for each.</summary>
        public int After { get; init; }

        /// <summary>Whether it runs also where one of them has failed.</summary>
        public bool RunsAnyway { get; init; }
    }

    public sealed record Insert(Submitted[] Tasks, int Mode, bool Atomic) : Step
    {
        public override string ToString() => $"Insert {{ {string.Join<Submitted>(", ", Tasks)}, Mode = {Mode}, Atomic = {Atomic} }}";
    }

    public sealed record Start(int Id) : Step;

    public sealed record End(int Id, int Ending, bool Stale) : Step;

    /// <param name="Id">Which task.</param>
    /// <param name="Bytes">How many bytes; 0 for as many as a log keeps, after some that were given up.</param>
    /// <param name="Stale">Whether the claim is a former one.</param>
    public sealed record Log(int Id, int Bytes, bool Stale) : Step;

    public sealed record Cancel(int Id) : Step;

    public sealed record Retry(int Id) : Step;

    public sealed record Delete(int Id) : Step;

    public sealed record Wake(int Max) : Step;

    public sealed record Prune(int Keep, int Max) : Step;
}
