namespace GrpcPool.Core.Tasks;

/// <summary>The kind of a <see cref="Failure"/>. The numbers are those of the contract.</summary>
public enum FailureCode
{
    /// <summary>The handler could not read the payload.</summary>
    InvalidPayload = 1,

    /// <summary>The handler ran and failed.</summary>
    HandlerError = 2,

    /// <summary>The attempt or the task took longer than it may.</summary>
    Timeout = 3,

    /// <summary>The attempt was lost with its host.</summary>
    LeaseLost = 4,

    /// <summary>The result was larger than allowed.</summary>
    ResultTooLarge = 5,

    /// <summary>Nobody here runs tasks of this kind.</summary>
    NoHandler = 6,

    /// <summary>The handler's address could not be reached.</summary>
    Unreachable = 7,

    /// <summary>A fault of the pool itself.</summary>
    Internal = 8,
}

/// <summary>Why an attempt, or a task, failed. Texts longer than their bound are cut.</summary>
public sealed record Failure
{
    /// <summary>The longest <see cref="Message"/>, in characters.</summary>
    public const int MessageCharactersMax = 1024;

    /// <summary>The longest <see cref="Detail"/>, in characters.</summary>
    public const int DetailCharactersMax = 8192;

    /// <summary>Makes a failure.</summary>
    /// <param name="code">What sort of failure.</param>
    /// <param name="message">One line for a person, at most <see cref="MessageCharactersMax"/> characters.</param>
    /// <param name="retryable">Whether another attempt may succeed.</param>
    /// <param name="detail">More text (a stack trace, the last lines of output), at most <see cref="DetailCharactersMax"/> characters.</param>
    public Failure(FailureCode code, string message, bool retryable, string detail = "")
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(detail);
        Code = code;
        Message = Head(message, MessageCharactersMax);
        Detail = Tail(detail, DetailCharactersMax);
        Retryable = retryable;
    }

    /// <summary>What sort of failure.</summary>
    public FailureCode Code { get; }

    /// <summary>One line for a person.</summary>
    public string Message { get; }

    /// <summary>More text, or empty; the end of it where it was too long.</summary>
    public string Detail { get; }

    /// <summary>Whether another attempt may succeed.</summary>
    public bool Retryable { get; }

    /// <summary>The beginning of a text, cut so that no surrogate pair is torn.</summary>
    internal static string Head(string text, int max) => text.Length <= max ? text : text[..(char.IsHighSurrogate(text[max - 1]) ? max - 1 : max)];

    private static string Tail(string text, int max) => text.Length <= max ? text : text[(char.IsLowSurrogate(text[^max]) ? text.Length - max + 1 : text.Length - max)..];
}
