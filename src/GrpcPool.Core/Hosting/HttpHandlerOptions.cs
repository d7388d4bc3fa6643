namespace GrpcPool.Core.Hosting;

/// <summary>One kind that a web application runs: it gets each attempt as a signed HTTP request.</summary>
public sealed class HttpHandlerOptions
{
    /// <summary>Where the requests go: an absolute http or https address without user and fragment.</summary>
    public string Url { get; set; } = "";

    /// <summary>What signs the requests, as Standard Webhooks has it: <c>whsec_</c> and the base64 of 24 to 64 random bytes.</summary>
    public string Secret { get; set; } = "";

    /// <summary>A second secret that signs as well, while the application changes from one to the other; null (the default) for none.</summary>
    public string? PreviousSecret { get; set; }

    /// <summary>The longest attempt, what follows an answer 202 included, 1 ms – 30 days. 5 minutes by default. A task's own <c>run_timeout</c> can only be shorter.</summary>
    public TimeSpan RunTimeout { get; set; } = TimeSpan.FromMinutes(5);
}
