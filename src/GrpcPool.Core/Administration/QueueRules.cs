using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Administration;

/// <summary>What holds for the queue of one name, in every namespace.</summary>
/// <param name="Capacity">How many waiting tasks it holds.</param>
/// <param name="WhenFull">What becomes of a submission while it is full.</param>
/// <param name="Limit">How many slots its running tasks take at most; null for no limit of its own.</param>
/// <param name="Weight">Its share of the starts.</param>
/// <param name="Paused">Whether nothing of it starts.</param>
internal sealed record QueueRules(int Capacity, FullPolicy WhenFull, int? Limit, int Weight, bool Paused)
{
    /// <summary>As the settings have it.</summary>
    public static QueueRules Of(QueueOptions options) => new(options.Capacity, options.WhenFull, options.Limit, options.Weight, Paused: false);

    public override string ToString() => $"capacity {Capacity}, {WhenFull}, limit {Limit?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"}, weight {Weight}{(Paused ? ", paused" : "")}";
}

/// <summary>What an operator wants of a queue from now on; null leaves it as it is.</summary>
internal sealed record QueueUpdate(string Queue)
{
    public int? Capacity { get; init; }

    public FullPolicy? WhenFull { get; init; }

    /// <summary>0 for no limit.</summary>
    public int? Limit { get; init; }

    public int? Weight { get; init; }

    public bool? Paused { get; init; }

    /// <summary>Whether it first goes back to the settings; a pause stays.</summary>
    public bool Reset { get; init; }
}
