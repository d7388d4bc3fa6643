using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GrpcPool.V1;

namespace GrpcPool.Client.Workers;

/// <summary>How an attempt ended, as its handler says: with a result or with a failure.</summary>
public sealed record WorkOutcome
{
    private const int ContentTypeCharactersMax = 255, MessageCharactersMax = 1024, DetailCharactersMax = 8192;

    private static readonly WorkOutcome Empty = new();

    private WorkOutcome()
    {
    }

    /// <summary>The result; empty for a failure.</summary>
    public ReadOnlyMemory<byte> Result { get; private init; }

    /// <summary>The result's media type, or empty.</summary>
    public string ContentType { get; private init; } = "";

    /// <summary>Why the attempt failed; null where it succeeded.</summary>
    public Failure? Failure { get; private init; }

    /// <summary>The attempt succeeded.</summary>
    /// <param name="result">The result, at most <c>Limits:ResultBytesMax</c> bytes of the pool; not to be changed later.</param>
    /// <param name="contentType">The result's media type, at most 255 characters, or empty.</param>
    public static WorkOutcome Succeeded(ReadOnlyMemory<byte> result = default, string contentType = "")
    {
        ArgumentNullException.ThrowIfNull(contentType);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(contentType.Length, ContentTypeCharactersMax, nameof(contentType));
        return result.IsEmpty && contentType.Length == 0 ? Empty : new WorkOutcome { Result = result, ContentType = contentType };
    }

    /// <summary>The attempt succeeded with a result that goes out as JSON.</summary>
    /// <param name="result">The result, at most <c>Limits:ResultBytesMax</c> bytes as JSON.</param>
    /// <param name="resultType">How it is written: a property of a source-generated <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    public static WorkOutcome Succeeded<TResult>(TResult result, JsonTypeInfo<TResult> resultType) =>
        Succeeded(JsonSerializer.SerializeToUtf8Bytes(result, resultType), "application/json");

    /// <summary>The attempt failed with <see cref="FailureCode.HandlerError"/>.</summary>
    /// <param name="message">Why, in one line for a person: at most 1,024 characters; longer ones are cut.</param>
    /// <param name="retryable">Whether another attempt may succeed. False by default.</param>
    public static WorkOutcome Failed(string message, bool retryable = false) => Failed(FailureCode.HandlerError, message, retryable);

    /// <summary>The attempt failed.</summary>
    /// <param name="code">What sort of failure.</param>
    /// <param name="message">Why, in one line for a person: at most 1,024 characters; longer ones are cut.</param>
    /// <param name="retryable">Whether another attempt may succeed. False by default.</param>
    /// <param name="detail">More text, such as a stack trace: at most 8,192 characters; of longer texts the end is kept.</param>
    public static WorkOutcome Failed(FailureCode code, string message, bool retryable = false, string detail = "")
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(detail);
        string tail = detail.Length <= DetailCharactersMax ? detail : detail[^DetailCharactersMax..];
        return new WorkOutcome
        {
            Failure = new Failure
            {
                Code = code,
                Message = Head(message, MessageCharactersMax),
                Detail = tail.Length > 0 && char.IsLowSurrogate(tail[0]) ? tail[1..] : tail,
                Retryable = retryable,
            },
        };
    }

    /// <summary>The beginning of a text, cut so that no surrogate pair is torn.</summary>
    internal static string Head(string text, int max) => text.Length <= max ? text : text[..(char.IsHighSurrogate(text[max - 1]) ? max - 1 : max)];

    /// <summary>Runs an attempt as a worker does: whatever the handler throws is the attempt's failure.</summary>
    internal static async ValueTask<WorkOutcome> OfAsync(IWorkHandler handler, WorkContext context, CancellationToken stopping)
    {
        try
        {
            return await handler.RunAsync(context, stopping).ConfigureAwait(false) ?? Failed("the handler returned no outcome");
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return Failed("the attempt was stopped", retryable: true);
        }
#pragma warning disable CA1031 // Whatever a handler throws is its task's failure, and nobody else's.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            return Failed(FailureCode.HandlerError, fault.Message, retryable: true, fault.ToString());
        }
    }
}
