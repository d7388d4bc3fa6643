using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Handlers.Http;

/// <summary>What a response, or the lack of one, makes of an attempt.</summary>
internal sealed class HttpAnswer(string url, int resultBytesMax, TimeProvider time)
{
    private const int ContentTypeCharactersMax = 255;

    /// <summary>How long the text of a failure is waited for.</summary>
    private static readonly TimeSpan DetailTimeout = TimeSpan.FromSeconds(2);

    public Task<TaskOutcome> OutcomeAsync(HttpResponseMessage response, CancellationToken stopping) =>
        response.IsSuccessStatusCode ? SuccessAsync(response, stopping) : FailureAsync(response, stopping);

    /// <summary>No whole response came.</summary>
    public TaskOutcome Broken(Exception fault) => fault switch
    {
        OperationCanceledException => Failed(FailureCode.Unreachable, $"{url} took no connection within {HttpConnections.ConnectTimeout.TotalSeconds:0} s"),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } or
        HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } =>
            Failed(FailureCode.HandlerError, $"{url} sent a response that cannot be read: {fault.Message}"),
        _ => Failed(FailureCode.Unreachable, $"{url}: {fault.Message}"),
    };

    private async Task<TaskOutcome> SuccessAsync(HttpResponseMessage response, CancellationToken stopping)
    {
        if (response.Content.Headers.ContentLength > resultBytesMax)
            return TooLarge();
        var result = new OutputBuffer(resultBytesMax);
        using Stream body = await response.Content.ReadAsStreamAsync(stopping).ConfigureAwait(false);
        await result.FillAsync(body, stopping).ConfigureAwait(false);
        return result.IsExceeded ? TooLarge() : TaskOutcome.Succeeded(result.Content, ContentType(response.Content));
    }

    private async Task<TaskOutcome> FailureAsync(HttpResponseMessage response, CancellationToken stopping)
    {
        int status = (int)response.StatusCode;
        bool retryable = status is 408 or 425 or 429 or >= 500;
        string detail = await DetailAsync(response.Content, stopping).ConfigureAwait(false);
        string message = status is >= 300 and < 400
            ? string.Create(CultureInfo.InvariantCulture, $"{url} answered {status}; redirects are not followed")
            : string.Create(CultureInfo.InvariantCulture, $"{url} answered {status} {Printable(response.ReasonPhrase ?? "")}").TrimEnd();
        return TaskOutcome.Failed(new Failure(FailureCode.HandlerError, message, retryable, detail), retryable ? Pause(response.Headers.RetryAfter) : null);
    }

    /// <summary>The beginning of the body, as far as it comes soon.</summary>
    private async Task<string> DetailAsync(HttpContent content, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(DetailTimeout, time);
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        var text = new OutputBuffer(Failure.DetailCharactersMax);
        try
        {
            using Stream body = await content.ReadAsStreamAsync(soon.Token).ConfigureAwait(false);
            await text.FillAsync(body, soon.Token).ConfigureAwait(false);
        }
        catch (Exception fault) when (IsFault(fault) && !stopping.IsCancellationRequested)
        {
            // The status is known, and so is what came before the fault.
        }

        return Printable(Failure.Head(Encoding.UTF8.GetString(text.Content.Span), Failure.DetailCharactersMax));
    }

    public static bool IsFault(Exception fault) => fault is HttpRequestException or IOException or OperationCanceledException;

    private TimeSpan? Pause(RetryConditionHeaderValue? retryAfter) => retryAfter?.Delta ?? retryAfter?.Date - time.GetUtcNow();

    private static string ContentType(HttpContent content) =>
        content.Headers.NonValidated.TryGetValues("Content-Type", out HeaderStringValues values) && values.ToString() is { Length: <= ContentTypeCharactersMax } type
        && !type.AsSpan().ContainsAnyExceptInRange(' ', '~') ? type : "";

    private static string Printable(string text) => text.Replace('\0', '\uFFFD');

    private TaskOutcome TooLarge() => TaskOutcome.Failed(
        new Failure(FailureCode.ResultTooLarge, string.Create(CultureInfo.InvariantCulture, $"{url} answered with more than Limits:ResultBytesMax ({resultBytesMax}) bytes"), retryable: false));

    private static TaskOutcome Failed(FailureCode code, string message) => TaskOutcome.Failed(new Failure(code, message, retryable: true));
}
