using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using GrpcPool.Core.Execution;

namespace GrpcPool.Core.Handlers.Http;

/// <summary>
/// Writes an attempt as an HTTP request. What the submitter chose can neither take the name of a header of ours nor of HTTP itself, since it gets a prefix, nor break out of
/// its line, since its value is percent-encoded; only a trace context goes as it is.
/// </summary>
internal sealed class HttpTaskRequest(Uri address, WebhookSignature signature, TimeProvider time)
{
    private const string LabelPrefix = "Grpcpool-Label-";
    private const string HeaderPrefix = "Grpcpool-Header-";

    private static readonly string[] TraceContext = [AttemptTrace.Parent, AttemptTrace.State];

    /// <summary>Names that any server takes for what they are.</summary>
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    public HttpRequestMessage Of(TaskContext context)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ReadOnlyMemoryContent(context.Payload) };
        if (IsPlain(context.ContentType))
            request.Content.Headers.TryAddWithoutValidation("Content-Type", context.ContentType);
        AddTask(request.Headers, context);
        AddChosen(request.Headers, context);
        Sign(request.Headers, context);
        return request;
    }

    private static void AddTask(HttpRequestHeaders headers, TaskContext context)
    {
        headers.Add("User-Agent", "GrpcPool");
        headers.Add("Grpcpool-Task-Id", context.TaskId);
        headers.Add("Grpcpool-Namespace", context.Namespace);
        headers.Add("Grpcpool-Kind", context.Kind);
        headers.Add("Grpcpool-Queue", context.Queue);
        headers.Add("Grpcpool-Attempt", context.Attempt.ToString(CultureInfo.InvariantCulture));
        headers.Add("Grpcpool-Lease", Convert.ToBase64String(context.Lease.ToBytes()));
        if (context.Deadline is { } deadline)
            headers.Add("Grpcpool-Deadline", deadline.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
    }

    private static void AddChosen(HttpRequestHeaders headers, TaskContext context)
    {
        foreach ((string name, string value) in context.Labels)
            Add(headers, LabelPrefix + name.Replace('_', '-'), Encode(value));
        foreach ((string name, string value) in context.Headers)
        {
            if (!TraceContext.Contains(name, StringComparer.Ordinal))
                Add(headers, HeaderPrefix + name, Encode(value));
            else if (IsPlain(value))
                Add(headers, name, value);
        }
    }

    /// <summary>Adds a header, unless its name is none or was there before in other letters.</summary>
    private static void Add(HttpRequestHeaders headers, string name, string value)
    {
        if (!name.AsSpan().ContainsAnyExcept(NameCharacters) && !headers.NonValidated.Contains(name))
            headers.TryAddWithoutValidation(name, value);
    }

    private void Sign(HttpRequestHeaders headers, TaskContext context)
    {
        string id = MessageId(context);
        long now = time.GetUtcNow().ToUnixTimeSeconds();
        headers.Add("webhook-id", id);
        headers.Add("webhook-timestamp", now.ToString(CultureInfo.InvariantCulture));
        headers.Add("webhook-signature", signature.Sign(id, now, context.Payload.Span));
    }

    /// <summary>
    /// The same for all attempts of a task, and for no other task: neither character that is put in may be in a namespace or an id. A full stop in what the submitter chose
    /// would let one signature stand for two messages.
    /// </summary>
    private static string MessageId(TaskContext context) => $"{context.Namespace}/{context.TaskId}".Replace('.', '~');

    private static bool IsPlain(string value) => value.Length > 0 && !value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static string Encode(string value)
    {
        if (!value.AsSpan().ContainsAnyExceptInRange('!', '~') && !value.Contains('%', StringComparison.Ordinal))
            return value;
        var encoded = new StringBuilder(value.Length * 3);
        foreach (byte b in Encoding.UTF8.GetBytes(value))
            _ = b is > (byte)' ' and <= (byte)'~' and not (byte)'%' ? encoded.Append((char)b) : encoded.Append('%').Append(Convert.ToHexString([b]));
        return encoded.ToString();
    }
}
