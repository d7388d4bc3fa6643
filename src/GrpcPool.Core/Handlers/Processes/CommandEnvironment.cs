using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using GrpcPool.Core.Execution;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>
/// The environment of a command or a worker: what is declared, a plain <c>PATH</c>, and what tells it about its task or its server. Nothing of the server's own.
/// </summary>
internal sealed class CommandEnvironment(IReadOnlyDictionary<string, string> declared)
{
    /// <summary>Names the variable by whose random value the descendants of an attempt are found again.</summary>
    public const string TokenVariable = "GRPCPOOL_ATTEMPT_TOKEN";

    /// <summary>Names the variable by which the workers of a server that was killed are found again.</summary>
    public const string ServerVariable = "GRPCPOOL_SERVER";

    /// <summary>Names the variable with the token that a client shows to the server.</summary>
    public const string PassVariable = "GRPCPOOL_TOKEN";

    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public static string NewToken() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    public string[] For(TaskContext context, string token)
    {
        Dictionary<string, string> variables = Declared();
        foreach ((string name, string value) in context.Labels)
            variables[LabelVariable(name)] = value;
        variables["GRPCPOOL_TASK_ID"] = context.TaskId;
        variables["GRPCPOOL_KIND"] = context.Kind;
        variables["GRPCPOOL_QUEUE"] = context.Queue;
        variables["GRPCPOOL_ATTEMPT"] = context.Attempt.ToString(CultureInfo.InvariantCulture);
        AddTrace(variables, context.Headers);
        return Finish(variables, token);
    }

    /// <summary>That of a process that works for the pool. What is declared of address and token stands: the way to the server may be another one.</summary>
    public string[] ForWorker(string name, string address, string? pass, string server, string token)
    {
        Dictionary<string, string> variables = Declared();
        variables.TryAdd("GRPCPOOL_ADDRESS", address);
        variables["GRPCPOOL_WORKER_NAME"] = name;
        if (pass is not null)
            variables.TryAdd(PassVariable, pass);
        variables[ServerVariable] = server;
        return Finish(variables, token);
    }

    /// <summary>By these names programs take up the trace of whoever started them.</summary>
    private static void AddTrace(Dictionary<string, string> variables, IReadOnlyDictionary<string, string> headers)
    {
        if (!headers.TryGetValue(AttemptTrace.Parent, out string? parent))
            return;
        string? state = headers.GetValueOrDefault(AttemptTrace.State);
        if (!ActivityContext.TryParse(parent, state, out _))
            return;
        variables["TRACEPARENT"] = parent;
        if (state is { Length: > 0 } && !state.Contains('\0', StringComparison.Ordinal))
            variables["TRACESTATE"] = state;
        else
            variables.Remove("TRACESTATE");
    }

    private Dictionary<string, string> Declared()
    {
        var variables = new Dictionary<string, string>(declared, StringComparer.Ordinal);
        variables.TryAdd("PATH", DefaultPath);
        return variables;
    }

    private static string[] Finish(Dictionary<string, string> variables, string token)
    {
        variables[TokenVariable] = token;
        return [.. variables.Select(variable => $"{variable.Key}={variable.Value}")];
    }

    private static string LabelVariable(string name) =>
        "GRPCPOOL_LABEL_" + string.Create(name.Length, name, static (target, source) =>
        {
            for (int i = 0; i < target.Length; i++)
                target[i] = char.IsAsciiLetterOrDigit(source[i]) ? char.ToUpperInvariant(source[i]) : '_';
        });
}
