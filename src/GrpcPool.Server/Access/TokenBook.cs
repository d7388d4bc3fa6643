using System.Security.Cryptography;
using GrpcPool.Core.Workers.Processes;
using GrpcPool.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Server.Access;

/// <summary>The tokens that are valid now: those of the settings, and those of the workers that this server has started. Thread-safe.</summary>
internal sealed class TokenBook : IReloaded, IWorkerPasses
{
    private readonly Lock _lock = new();
    private readonly AccessOptions _options;
    private readonly ILogger _log;
    private readonly Dictionary<string, Grant> _grants;
    private readonly Dictionary<string, string> _refused = [];
    private readonly Dictionary<string, IReadOnlyList<byte[]>> _read = [];
    private volatile Entry[] _entries;
    private volatile Entry[] _passes = [];

    public TokenBook(AccessOptions options, TimeProvider time, ILogger<TokenBook> log)
    {
        (_options, _log) = (options, log);
        _grants = options.Tokens.ToDictionary(static token => token.Key, token => Grant.Of(token.Key, token.Value, time), StringComparer.Ordinal);
        Read();
        _entries = Gather();
    }

    /// <inheritdoc/>
    public bool HasFiles => _options.Tokens.Values.Any(static token => token.HashFile is not null);

    /// <summary>What a token allows; null where it is none. Takes as long for any token that is sent.</summary>
    public Grant? Find(string token)
    {
        byte[] hash = TokenHash.Of(token);
        Grant? found = null;
        foreach (Entry[] entries in (ReadOnlySpan<Entry[]>)[_entries, _passes])
        {
            foreach (Entry entry in entries)
            {
                bool same = CryptographicOperations.FixedTimeEquals(entry.Hash, hash);
                found = same ? entry.Grant : found;
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public string? Issue(string name)
    {
        if (_options.IsOpen)
            return null;
        (string token, _) = TokenHash.New();
        var pass = new Entry(TokenHash.Of(token), new Grant(name, Role.Work, Core.Hosting.GrpcPoolOptions.DefaultNamespace, Scope: null, Worker: name));
        lock (_lock)
            _passes = [.. _passes, pass];
        return token;
    }

    /// <inheritdoc/>
    public void Revoke(string name)
    {
        lock (_lock)
            _passes = Array.FindAll(_passes, pass => pass.Grant.Worker != name);
    }

    /// <inheritdoc/>
    public void Reload()
    {
        if (Read())
            _entries = Gather();
    }

    private bool Read()
    {
        bool changed = false;
        foreach (string path in _options.Tokens.Values.Select(static token => token.HashFile).OfType<string>().Distinct())
        {
            if (!TokenHash.TryReadFile(path, out IReadOnlyList<byte[]>? hashes, out string? reason))
            {
                if (_refused.GetValueOrDefault(path) != reason)
                    Log.FileRefused(_log, path, reason);
                _refused[path] = reason;
                continue;
            }

            _refused.Remove(path);
            bool known = _read.TryGetValue(path, out IReadOnlyList<byte[]>? before);
            if (known && before!.Count == hashes.Count && before.Zip(hashes).All(static pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
                continue;
            _read[path] = hashes;
            changed = true;
            if (known)
                Log.FileReloaded(_log, path);
        }

        return changed;
    }

    private Entry[] Gather() =>
    [
        .. from token in _options.Tokens
           from hash in token.Value.HashFile is { } file ? _read.GetValueOrDefault(file, []) : [Convert.FromHexString(token.Value.Hash!)]
           select new Entry(hash, _grants[token.Key]),
    ];

    private readonly record struct Entry(byte[] Hash, Grant Grant);
}
