using System.Diagnostics.CodeAnalysis;
using GrpcPool.Server.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace GrpcPool.Server.Access;

/// <summary>The public keys of an issuer, by a file or by HTTP. Thread-safe.</summary>
[SuppressMessage("Design", "CA1001", Justification = "It lives as long as the server.")]
internal sealed class JwtKeys : IReloaded
{
    /// <summary>How long keys are used before they are fetched anew; one that the issuer has taken back is accepted no longer than that.</summary>
    public static readonly TimeSpan Age = TimeSpan.FromMinutes(5);

    /// <summary>How often they are fetched because a token names one that is not known. Whoever calls decides how often that is.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private const int BytesMax = 1 << 20;

    private readonly JwtOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly HttpClient _http;
    private readonly Lock _lock = new();
    private volatile SecurityKey[] _keys = [];
    private Task _fetching = Task.CompletedTask;
    private long? _fetchedAt;
    private string? _read;
    private string? _refused;

    public JwtKeys(AccessOptions access, TimeProvider time, ILogger<JwtKeys> log)
    {
        (_options, _time, _log) = (access.Jwt, time, log);
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { MaxResponseContentBufferSize = BytesMax, Timeout = Pause };
        Reload();
    }

    /// <inheritdoc/>
    public bool HasFiles => _options.KeysFile is not null;

    /// <summary>The keys for a token that names one; all of them where it names none.</summary>
    public async ValueTask<SecurityKey[]> FindAsync(string? id)
    {
        if (_options.KeysUrl is not null)
            await FetchedAsync(Age, wait: _keys.Length == 0).ConfigureAwait(false);
        if (string.IsNullOrEmpty(id))
            return _keys;
        if (_options.KeysUrl is not null && !Array.Exists(_keys, key => key.KeyId == id))
            await FetchedAsync(Pause, wait: true).ConfigureAwait(false);
        return Array.FindAll(_keys, key => key.KeyId == id);
    }

    /// <inheritdoc/>
    public void Reload()
    {
        if (_options.KeysFile is { } path)
            Take(path, TryReadFile(path, out string? text, out string? reason), text, reason);
    }

    /// <summary>Reads a file with a JWK Set; null, and why, where that is none.</summary>
    public static SecurityKey[]? TryReadFile(string path, out string? text, out string? reason)
    {
        try
        {
            text = File.ReadAllText(path);
            return TryParse(text, out reason);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            (text, reason) = (null, fault.Message.TrimEnd('.'));
            return null;
        }
    }

    /// <summary>Reads a JWK Set, of which keys that are no public keys for signatures are left out; null, and why, where there is none.</summary>
    internal static SecurityKey[]? TryParse(string text, out string? reason)
    {
        try
        {
            SecurityKey[] keys = [.. new JsonWebKeySet(text).GetSigningKeys().Where(static key => key is RsaSecurityKey or ECDsaSecurityKey or JsonWebKey { Kty: "RSA" or "EC" } or X509SecurityKey)];
            reason = keys.Length == 0 ? "it has no key for signatures" : null;
            return keys.Length == 0 ? null : keys;
        }
        catch (Exception fault) when (fault is ArgumentException or System.Text.Json.JsonException or FormatException or InvalidOperationException)
        {
            reason = "it is no JWK Set";
            return null;
        }
    }

    /// <summary>Sees to it that the keys are not older than an age.</summary>
    /// <param name="age">The age.</param>
    /// <param name="wait">Whether to wait for those that are being fetched for another call.</param>
    private Task FetchedAsync(TimeSpan age, bool wait)
    {
        lock (_lock)
        {
            if (!_fetching.IsCompleted)
                return wait ? _fetching : Task.CompletedTask;
            if (_fetchedAt is { } at && _time.GetElapsedTime(at) < (_keys.Length == 0 ? Pause : age))
                return Task.CompletedTask;
            _fetchedAt = _time.GetTimestamp();
            return _fetching = Task.Run(FetchAsync);
        }
    }

    private async Task FetchAsync()
    {
        string url = _options.KeysUrl!;
        try
        {
            string text = await _http.GetStringAsync(new Uri(url)).ConfigureAwait(false);
            Take(url, TryParse(text, out string? reason), text, reason);
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            Take(url, null, null, fault.Message.TrimEnd('.'));
        }
    }

    private void Take(string source, SecurityKey[]? keys, string? text, string? reason)
    {
        if (keys is null)
        {
            if (_refused != reason)
                Log.FileRefused(_log, source, reason!);
        }
        else if (text != _read)
        {
            if (_read is not null)
                Log.FileReloaded(_log, source);
            (_keys, _read) = (keys, text);
        }

        _refused = reason;
    }
}
