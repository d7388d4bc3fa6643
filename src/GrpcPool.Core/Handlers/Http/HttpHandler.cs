using System.Net;
using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Handlers.Http;

/// <summary>
/// Hands each attempt to a web application: the payload as the body of a signed POST, the body of an answer 2xx as the result. 408, 425, 429 and 5xx fail retryably, as does
/// whatever keeps an answer from coming; any other answer fails for good. 202 leaves the attempt running until the application calls <c>Complete</c>.
/// </summary>
internal sealed class HttpHandler : ITaskHandler
{
    private readonly HttpConnections _connections;
    private readonly HttpTaskRequest _requests;
    private readonly HttpAnswer _answers;

    public HttpHandler(HttpHandlerOptions options, HttpConnections connections, int resultBytesMax, TimeProvider time)
    {
        var address = new Uri(options.Url);
        string[] secrets = options.PreviousSecret is { } previous ? [options.Secret, previous] : [options.Secret];
        _connections = connections;
        _requests = new HttpTaskRequest(address, new WebhookSignature([.. secrets.Select(WebhookSecret.Read)]), time);
        // What is in a query may be a secret, and failures are shown to whoever may see the task.
        _answers = new HttpAnswer(address.GetLeftPart(UriPartial.Path), resultBytesMax, time);
    }

    public async ValueTask<TaskOutcome> RunAsync(TaskContext context, CancellationToken stopping)
    {
        try
        {
            if (await SendAsync(context, stopping).ConfigureAwait(false) is { } outcome)
                return outcome;
        }
        catch (Exception fault) when (HttpAnswer.IsFault(fault) && !stopping.IsCancellationRequested)
        {
            return _answers.Broken(fault);
        }

        return await context.LeaveRunningAsync(stopping).ConfigureAwait(false);
    }

    /// <summary>The outcome; null where the application goes on with the attempt by itself.</summary>
    private async Task<TaskOutcome?> SendAsync(TaskContext context, CancellationToken stopping)
    {
        using HttpRequestMessage request = _requests.Of(context);
        using HttpResponseMessage response = await _connections.SendAsync(request, stopping).ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.Accepted ? null : await _answers.OutcomeAsync(response, stopping).ConfigureAwait(false);
    }
}
