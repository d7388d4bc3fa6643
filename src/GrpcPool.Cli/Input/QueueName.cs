using System.CommandLine;

namespace GrpcPool.Cli.Input;

/// <summary>A queue named by its name.</summary>
internal static class QueueName
{
    public static Argument<string> Argument { get; } = new("queue") { Description = "The queue's name." };
}
