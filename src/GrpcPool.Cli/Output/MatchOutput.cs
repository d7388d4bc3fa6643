using System.Globalization;
using Google.Protobuf;

namespace GrpcPool.Cli.Output;

/// <summary>Writes how many tasks a change by filter was about.</summary>
internal static class MatchOutput
{
    /// <param name="format">How to write it.</param>
    /// <param name="answer">The server's answer.</param>
    /// <param name="count">The number in it.</param>
    /// <param name="done">What was, or with a dry run would be, done.</param>
    public static void Write(OutputFormat format, IMessage answer, long count, string done) => Console.Out.WriteLine(format switch
    {
        OutputFormat.Json => TaskOutput.ToJson(answer),
        OutputFormat.Id => count.ToString(CultureInfo.InvariantCulture),
        _ => $"{Wording.Count(count, "task")} {done}.",
    });
}
