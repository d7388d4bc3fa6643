using System.Globalization;
using System.Security.Cryptography;

namespace GrpcPool.Core.Handlers.Processes;

/// <summary>The environment of a command: what is declared, a plain <c>PATH</c>, and what tells it about its task. Nothing of the server's own.</summary>
internal sealed class CommandEnvironment(IReadOnlyDictionary<string, string> declared)
{
    /// <summary>Names the variable by whose random value the descendants of an attempt are found again.</summary>
    public const string TokenVariable = "GRPCPOOL_ATTEMPT_TOKEN";

    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public static string NewToken() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    public string[] For(TaskContext context, string token)
    {
        var variables = new Dictionary<string, string>(declared, StringComparer.Ordinal);
        variables.TryAdd("PATH", DefaultPath);
        foreach ((string name, string value) in context.Labels)
            variables[LabelVariable(name)] = value;
        variables["GRPCPOOL_TASK_ID"] = context.TaskId;
        variables["GRPCPOOL_KIND"] = context.Kind;
        variables["GRPCPOOL_QUEUE"] = context.Queue;
        variables["GRPCPOOL_ATTEMPT"] = context.Attempt.ToString(CultureInfo.InvariantCulture);
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
