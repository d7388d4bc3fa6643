using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Handlers;

/// <summary>How an attempt ended, as its handler says: with a result or with a failure.</summary>
public sealed record TaskOutcome
{
    private static readonly TaskOutcome Empty = new();

    private TaskOutcome()
    {
    }

    /// <summary>The result; empty for a failure.</summary>
    public ReadOnlyMemory<byte> Result { get; private init; }

    /// <summary>The result's media type, or empty.</summary>
    public string ContentType { get; private init; } = "";

    /// <summary>Why the attempt failed; null where it succeeded.</summary>
    public Failure? Failure { get; private init; }

    /// <summary>How long the next attempt waits at least, up to a day; null where only the task's policy decides.</summary>
    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>What became of an attempt outside of this process, where it is neither a result nor a failure.</summary>
    internal AttemptEnding? Ending { get; private init; }

    /// <summary>The attempt succeeded.</summary>
    /// <param name="result">The result, at most <c>Limits:ResultBytesMax</c> bytes.</param>
    /// <param name="contentType">The result's media type, or empty.</param>
    public static TaskOutcome Succeeded(ReadOnlyMemory<byte> result = default, string contentType = "") =>
        result.IsEmpty && contentType is "" ? Empty : new() { Result = result, ContentType = contentType };

    /// <summary>The attempt succeeded with a result that goes out as JSON.</summary>
    /// <param name="result">The result, at most <c>Limits:ResultBytesMax</c> bytes as JSON.</param>
    /// <param name="resultType">How it is written: a property of a source-generated <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    public static TaskOutcome Succeeded<TResult>(TResult result, JsonTypeInfo<TResult> resultType) =>
        Succeeded(JsonSerializer.SerializeToUtf8Bytes(result, resultType), "application/json");

    /// <summary>The attempt failed with <see cref="FailureCode.HandlerError"/>.</summary>
    /// <param name="message">Why, in one line for a person.</param>
    /// <param name="retryable">Whether another attempt may succeed. False by default.</param>
    public static TaskOutcome Failed(string message, bool retryable = false) => Failed(new Failure(FailureCode.HandlerError, message, retryable));

    /// <summary>The attempt failed.</summary>
    /// <param name="failure">Why, and whether another attempt may succeed.</param>
    /// <param name="retryAfter">How long the next attempt, where there is one, waits at least; more than a day is a day. The task's policy may make it longer.</param>
    public static TaskOutcome Failed(Failure failure, TimeSpan? retryAfter = null) => new() { Failure = failure, RetryAfter = retryAfter };

    /// <summary>The attempt was lost with whoever ran it.</summary>
    internal static TaskOutcome Lost() => new() { Ending = new AttemptEnding.Lost() };

    /// <summary>The attempt was given back.</summary>
    internal static TaskOutcome Released(bool began) => new() { Ending = new AttemptEnding.Released(began) };
}
