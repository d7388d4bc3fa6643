using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Collections;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Server.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using AfterPolicy = GrpcPool.Core.Tasks.AfterPolicy;
using ConflictPolicy = GrpcPool.Core.Tasks.ConflictPolicy;
using RetryPolicy = GrpcPool.Core.Tasks.RetryPolicy;
using TaskSpec = GrpcPool.V1.TaskSpec;

namespace GrpcPool.Server.Services;

/// <summary>Reads the specs of one call: checks every field and fills in the defaults. What its caller may not submit is refused.</summary>
internal sealed class SpecReader(TaskPool pool, string @namespace, IHeaderDictionary metadata, Grant? caller = null)
{
    /// <summary>How many labels, and how many headers.</summary>
    public const int PairsMax = 32;

    /// <summary>How long a key, a group and the value of a label are.</summary>
    public const int TextBytesMax = 256;

    private const int AfterMax = 100;
    private const int HeaderBytesMax = 8192;

    /// <summary>What of a trace's state is passed on (W3C Trace Context, section 3.3.1.5).</summary>
    private const int TraceStateMax = 512;

    /// <summary>Unpacks into a message that is used again, which would keep the fields that this server does not know.</summary>
    private static readonly MessageParser<TaskSpec> Unpacker = new MessageParser<TaskSpec>(TakeMessage).WithDiscardUnknownFields(true);

    /// <summary>What the thread's next spec is unpacked into: empty, or null.</summary>
    [ThreadStatic]
    private static TaskSpec? _message;

    private readonly GrpcPoolOptions _options = pool.Options;
    private readonly FieldChecks _checks = new();

    /// <summary>The task that a packed spec asks for, or what is wrong with it.</summary>
    /// <param name="packed">The spec as sent.</param>
    /// <param name="field">Its field in the request.</param>
    /// <param name="error">What is wrong.</param>
    /// <exception cref="InvalidProtocolBufferException">It is no spec.</exception>
    public NewTask? Read(ByteString? packed, FieldPath field, out PoolError? error)
    {
        TaskSpec? spec = packed is null ? null : Unpacker.ParseFrom(packed.Span);
        NewTask? task = Read(spec, packed, field, out error);

        // The message of a spec that was refused may have room for anything.
        if (task is not null)
            _message = Cleared(spec!);
        return task;
    }

    /// <summary>The task that a spec asks for, or what is wrong with it.</summary>
    /// <param name="spec">The spec as sent.</param>
    /// <param name="field">Its field in the request.</param>
    /// <param name="error">What is wrong.</param>
    public NewTask? Read(TaskSpec? spec, FieldPath field, out PoolError? error) => Read(spec, packed: null, field, out error);

    private NewTask? Read(TaskSpec? spec, ByteString? packed, FieldPath field, out PoolError? error)
    {
        _checks.Begin(field);
        _checks.Require(spec is not null, "", "must be set");
        NewTask? task = spec is null ? null : Read(spec, packed, _checks);
        error = _checks.Violations is { } violations ? new PoolError.InvalidFields(violations)
            : caller?.Scope is not null && (spec!.UniqueKey.Length > 0 || spec.After.Count > 0) ? new PoolError.Denied(
                "CONFINED", $"the token {caller.Name} is confined to queues or kinds, and unique_key and after are about all tasks of the namespace: leave them unset")
            : caller?.Scope is { } scope && !scope.Covers(task!.Spec) ? new PoolError.Denied("OUTSIDE_SCOPE", $"the token {caller.Name} may not submit the kind '{spec!.Kind}' to the queue '{task.Spec.Queue}'")
            : pool.Knows(@namespace, spec!.Kind) || _options.UndeclaredKinds == UndeclaredKinds.Queue ? null
            : new PoolError.KindNotFound(spec.Kind, pool.KindsOf(@namespace).Where(kind => caller?.Scope?.CoversKind(kind) != false));
        return error is null ? task : null;
    }

    private NewTask Read(TaskSpec spec, ByteString? packed, FieldChecks checks)
    {
        DateTimeOffset now = pool.Time.GetUtcNow();
        string queue = spec.Queue.Length == 0 ? GrpcPoolOptions.DefaultQueue : spec.Queue;
        int slots = spec.HasSlots ? spec.Slots : 1;
        if (spec.Id.Length > 0)
            checks.Id(spec.Id, "id");
        checks.Name(spec.Kind, "kind");
        checks.Name(queue, "queue");
        checks.Require(spec.Payload.Length <= _options.Limits.PayloadBytesMax, "payload", $"must be at most {_options.Limits.PayloadBytesMax} bytes (Limits:PayloadBytesMax)");
        checks.Bytes(spec.ContentType, TextBytesMax, "content_type");
        checks.Range(spec.Priority, -100, 100, "priority");
        checks.Bytes(spec.SerialKey, TextBytesMax, "serial_key");
        checks.Bytes(spec.Group, TextBytesMax, "group");
        CheckUnique(spec, checks);
        CheckAfter(spec, checks);
        checks.Require(slots == 1 || (slots > 1 && slots <= pool.SlotsMax), "slots", $"must be 1 to {pool.SlotsMax} (Pool:Slots, or those of the largest worker)");
        if (spec.ParentId.Length > 0)
            checks.Id(spec.ParentId, "parent_id");
        checks.Labels(spec.Labels, "labels");
        return new NewTask(spec.Id.Length == 0 ? TaskId.New(@namespace, now) : new TaskId(@namespace, spec.Id), new Core.Tasks.TaskSpec
        {
            Kind = spec.Kind,
            Payload = spec.Payload.Memory,
            ContentType = spec.ContentType,
            Queue = queue,
            Priority = spec.Priority,
            SerialKey = spec.SerialKey,
            After = spec.After.Count == 0 ? [] : [.. spec.After],
            AfterPolicy = spec.AfterPolicy == V1.AfterPolicy.Unspecified ? AfterPolicy.Cancel : (AfterPolicy)spec.AfterPolicy,
            UniqueKey = spec.UniqueKey,
            OnConflict = spec.OnConflict == V1.ConflictPolicy.Unspecified ? ConflictPolicy.UseExisting : (ConflictPolicy)spec.OnConflict,
            Slots = slots,
            StartTimeout = checks.PositiveSpan(spec.StartTimeout, "start_timeout"),
            RunTimeout = spec.RunTimeout is null ? null : checks.Span(spec.RunTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(30), "run_timeout"),
            TotalTimeout = checks.PositiveSpan(spec.TotalTimeout, "total_timeout"),
            Retry = spec.Retry is null ? _options.Retry : ReadRetry(spec.Retry, checks),
            Labels = spec.Labels.Count == 0 ? Core.Tasks.TaskSpec.NoPairs : new Dictionary<string, string>(spec.Labels),
            Headers = ReadHeaders(spec.Headers, checks),
            ParentId = spec.ParentId,
            Group = spec.Group,
            Retention = spec.Retention is null ? _options.QueueOrDefault(queue).Retention : checks.LongSpan(spec.Retention, "retention"),
        })
        {
            SubmittedBy = caller?.Name ?? "",
            SpecHash = spec.Id.Length == 0 ? null : HashOf(packed is null ? spec.Clone() : TaskSpec.Parser.ParseFrom(packed)),
            RunAt = ReadStart(spec, now, checks),
        };
    }

    private static DateTimeOffset? ReadStart(TaskSpec spec, DateTimeOffset now, FieldChecks checks) => spec.StartCase switch
    {
        TaskSpec.StartOneofCase.RunAt => checks.Time(spec.RunAt, "run_at"),
        TaskSpec.StartOneofCase.Delay => now + checks.LongSpan(spec.Delay, "delay"),
        _ => null,
    };

    private RetryPolicy ReadRetry(V1.RetryPolicy sent, FieldChecks checks)
    {
        RetryPolicy defaults = _options.Retry;
        var policy = new RetryPolicy
        {
            MaxAttempts = sent.HasMaxAttempts ? sent.MaxAttempts : defaults.MaxAttempts,
            InitialBackoff = sent.InitialBackoff is null ? defaults.InitialBackoff : checks.Span(sent.InitialBackoff, TimeSpan.Zero, TimeSpan.FromDays(1), "retry.initial_backoff"),
            BackoffMultiplier = sent.HasBackoffMultiplier ? sent.BackoffMultiplier : defaults.BackoffMultiplier,
            MaxBackoff = sent.MaxBackoff is null ? defaults.MaxBackoff : checks.Span(sent.MaxBackoff, TimeSpan.Zero, TimeSpan.FromDays(30), "retry.max_backoff"),
            Jitter = sent.HasJitter ? sent.Jitter : defaults.Jitter,
            MaxLosses = sent.HasMaxLosses ? sent.MaxLosses : defaults.MaxLosses,
        };
        checks.Range(policy.MaxAttempts, 1, 1000, "retry.max_attempts");
        checks.Range(policy.BackoffMultiplier, 1, 100, "retry.backoff_multiplier");
        checks.Range(policy.Jitter, 0, 1, "retry.jitter");
        checks.Range(policy.MaxLosses, 0, 1000, "retry.max_losses");
        return policy;
    }

    private static void CheckUnique(TaskSpec spec, FieldChecks checks)
    {
        checks.Bytes(spec.UniqueKey, TextBytesMax, "unique_key");
        checks.Require(spec.OnConflict is >= V1.ConflictPolicy.Unspecified and <= V1.ConflictPolicy.Replace, "on_conflict", "must be a policy of the contract");
        checks.Require(spec.OnConflict == V1.ConflictPolicy.Unspecified || spec.UniqueKey.Length > 0, "on_conflict", "must not be set without unique_key");
    }

    private static void CheckAfter(TaskSpec spec, FieldChecks checks)
    {
        checks.Require(spec.After.Count <= AfterMax, "after", $"must be at most {AfterMax}");
        checks.Require(spec.AfterPolicy is >= V1.AfterPolicy.Unspecified and <= V1.AfterPolicy.RunAnyway, "after_policy", "must be a policy of the contract");
        checks.Require(spec.AfterPolicy == V1.AfterPolicy.Unspecified || spec.After.Count > 0, "after_policy", "must not be set without after");
        if (spec.After.Count == 0)
            return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < Math.Min(spec.After.Count, AfterMax); i++)
        {
            checks.Id(spec.After[i], $"after[{i}]");
            checks.Require(spec.After[i] != spec.Id || spec.Id.Length == 0, $"after[{i}]", "must be another task");
            checks.Require(seen.Add(spec.After[i]), $"after[{i}]", "must not be named twice");
        }
    }

    private IReadOnlyDictionary<string, string> ReadHeaders(MapField<string, string> sent, FieldChecks checks)
    {
        int bytes = sent.Count == 0 ? 0 : sent.Sum(static header => Encoding.UTF8.GetByteCount(header.Key) + Encoding.UTF8.GetByteCount(header.Value));
        checks.Require(sent.Count <= PairsMax && bytes <= HeaderBytesMax, "headers", $"must be at most {PairsMax}, with {HeaderBytesMax} bytes together");
        checks.Require(!sent.ContainsKey(""), "headers", "must have names");
        Dictionary<string, string>? headers = sent.Count == 0 ? null : new Dictionary<string, string>(sent);
        if (!sent.ContainsKey(AttemptTrace.Parent) && Activity.Current is { Recorded: true, Source.Name.Length: > 0 } span)
            return AttemptTrace.Continue(headers ?? Core.Tasks.TaskSpec.NoPairs, span);
        if (sent.ContainsKey(AttemptTrace.Parent) || !metadata.TryGetValue(AttemptTrace.Parent, out StringValues parent) || !ActivityContext.TryParse(parent.ToString(), null, out _))
            return headers ?? Core.Tasks.TaskSpec.NoPairs;
        (headers ??= [])[AttemptTrace.Parent] = parent.ToString();
        if (!sent.ContainsKey(AttemptTrace.State) && metadata.TryGetValue(AttemptTrace.State, out StringValues state) && state.ToString() is { Length: > 0 and <= TraceStateMax } text)
            headers[AttemptTrace.State] = text;
        return headers;
    }

    /// <summary>
    /// SHA-256 over the fields as sent, without headers: what makes a repeated submission the same. Labels are put in order, since a client may send a map in any.
    /// </summary>
    /// <param name="spec">The spec, with the fields that this server does not know; it is changed.</param>
    private static byte[] HashOf(TaskSpec spec)
    {
        KeyValuePair<string, string>[] labels = [.. spec.Labels.OrderBy(static label => label.Key, StringComparer.Ordinal)];
        spec.Headers.Clear();
        spec.Labels.Clear();
        foreach ((string name, string value) in labels)
            spec.Labels.Add(name, value);
        return SHA256.HashData(spec.ToByteArray());
    }

    private static TaskSpec TakeMessage()
    {
        TaskSpec message = _message ?? new TaskSpec();
        _message = null;
        return message;
    }

    /// <summary>Empties a message. Generated ones have no such method.</summary>
    internal static TaskSpec Cleared(TaskSpec spec)
    {
        spec.Id = spec.Kind = spec.ContentType = spec.Queue = spec.SerialKey = spec.ParentId = spec.UniqueKey = spec.Group = "";
        spec.Payload = ByteString.Empty;
        spec.Priority = 0;
        spec.ClearSlots();
        spec.ClearStart();
        spec.StartTimeout = spec.RunTimeout = spec.TotalTimeout = spec.Retention = null;
        spec.Retry = null;
        spec.Labels.Clear();
        spec.Headers.Clear();
        spec.OnConflict = V1.ConflictPolicy.Unspecified;
        spec.After.Clear();
        spec.AfterPolicy = V1.AfterPolicy.Unspecified;
        return spec;
    }
}
