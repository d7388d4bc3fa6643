using GrpcPool.Core.Handlers.Http;
using static GrpcPool.Core.Hosting.Settings.ValueRules;

namespace GrpcPool.Core.Hosting.Settings;

/// <summary>The settings of one kind that a web application runs.</summary>
internal static class HttpHandlerSettings
{
    public static SettingsTable<HttpHandlerOptions> Table { get; } = new()
    {
        new FixedSetting<HttpHandlerOptions>("Type", "http", "The type of handler."),
        {
            "Url", Text("an absolute http or https address without user and fragment", IsUrl), o => o.Url, (o, v) => o.Url = v,
            "Where each attempt is sent by POST."
        },
        { "Secret", Secret(Text(WebhookSecret.Rule, WebhookSecret.IsValid)), o => o.Secret, (o, v) => o.Secret = v, "What signs the requests (Standard Webhooks)." },
        {
            "PreviousSecret", Secret(OptionalText(WebhookSecret.Rule, WebhookSecret.IsValid)), o => o.PreviousSecret, (o, v) => o.PreviousSecret = v,
            "A second secret that signs as well, while the application changes from one to the other."
        },
        {
            "RunTimeout", HandlerSettings.RunTimeout, o => o.RunTimeout, (o, v) => o.RunTimeout = v,
            "The longest attempt, what follows an answer 202 included."
        },
    };

    private static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri is { Host.Length: > 0, UserInfo.Length: 0, Fragment.Length: 0 } && !text.Contains('#', StringComparison.Ordinal);
}
