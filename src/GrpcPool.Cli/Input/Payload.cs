using System.CommandLine;
using System.CommandLine.Parsing;
using Google.Protobuf;

namespace GrpcPool.Cli.Input;

/// <summary>Where a task's payload comes from: the command line, a file, or standard input.</summary>
internal static class Payload
{
    private const string StandardInput = "-";

    private static readonly Argument<string?> Text = new("payload")
    {
        Description = "The handler's input, as it is: text or JSON. \"-\" reads standard input. Empty by default.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> File = new("--payload-file") { Description = "Read the payload from this file instead.", HelpName = "file" };

    public static void AddTo(Command command)
    {
        command.Add(Text);
        command.Add(File);
        command.Validators.Add(RefuseBoth);
    }

    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public static async Task<ByteString> ReadAsync(ParseResult result, CancellationToken cancellationToken)
    {
        string? text = result.GetValue(Text);
        if (result.GetValue(File) is { } path)
            return ByteString.CopyFrom(await System.IO.File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false));
        if (text != StandardInput)
            return ByteString.CopyFromUtf8(text ?? "");

        Stream input = Console.OpenStandardInput();
        await using (input.ConfigureAwait(false))
        {
            // A terminal does not end a read that is cancelled.
            return await ByteString.FromStreamAsync(input, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static void RefuseBoth(CommandResult result)
    {
        if (result.GetResult(Text) is { Tokens.Count: > 0 } && result.GetResult(File) is not null)
            result.AddError("Give the payload or --payload-file, not both.");
    }
}
