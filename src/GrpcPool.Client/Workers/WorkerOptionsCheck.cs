using System.Text;
using Microsoft.Extensions.Options;

namespace GrpcPool.Client.Workers;

/// <summary>The rules of <see cref="GrpcPoolWorkerOptions"/>; names all that are broken.</summary>
internal sealed class WorkerOptionsCheck : IValidateOptions<GrpcPoolWorkerOptions>
{
    private const int NameCharactersMax = 128, SlotsMax = 10_000, KindsMax = 1_000, LabelsMax = 32, LabelCharactersMax = 64, LabelBytesMax = 256;

    private static readonly TimeSpan DrainTimeoutMax = TimeSpan.FromHours(1);

    /// <summary>A machine's name as part of a worker's.</summary>
    public static string AsName(string machine)
    {
        string name = string.Concat(machine.Select(static c => IsOfWorkerName(c) ? c : '-').Take(NameCharactersMax / 2));
        return name.Length > 0 ? name : "worker";
    }

    public ValidateOptionsResult Validate(string? name, GrpcPoolWorkerOptions options)
    {
        string[] violations = [.. OfWorker(options), .. OfLabels(options), .. OfHandlers(options)];
        return violations.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(violations);
    }

    private static IEnumerable<string> OfWorker(GrpcPoolWorkerOptions options)
    {
        if (options.Name is null or "" || options.Name.Length > NameCharactersMax || !options.Name.All(IsOfWorkerName))
            yield return $"Name must be 1 to {NameCharactersMax} characters of [A-Za-z0-9._:-].";
        if (options.Slots is < 1 or > SlotsMax)
            yield return $"Slots must be 1 to {SlotsMax}.";
        if (options.DrainTimeout < TimeSpan.Zero || options.DrainTimeout > DrainTimeoutMax)
            yield return $"DrainTimeout must be 0 to {DrainTimeoutMax:c}.";
    }

    private static IEnumerable<string> OfLabels(GrpcPoolWorkerOptions options)
    {
        if (options.Labels.Count > LabelsMax)
            yield return $"Labels must be at most {LabelsMax}.";
        foreach ((string name, string value) in options.Labels)
        {
            if (name.Length is 0 or > LabelCharactersMax || !name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'))
                yield return $"Labels: '{name}' must be 1 to {LabelCharactersMax} characters of [a-z0-9_].";
            if (value is null || Encoding.UTF8.GetByteCount(value) > LabelBytesMax)
                yield return $"Labels: the value of '{name}' must be at most {LabelBytesMax} bytes.";
        }
    }

    private static IEnumerable<string> OfHandlers(GrpcPoolWorkerOptions options)
    {
        if (options.Handlers.Count is 0 or > KindsMax)
            yield return $"A worker must have 1 to {KindsMax} handlers: use AddHandler.";
        foreach (WorkHandlerRegistration handler in options.Handlers.Where(static handler => !OptionsCheck.IsName(handler.Kind)))
            yield return $"The kind '{handler.Kind}' of {handler.Name} must be {OptionsCheck.NameRule}.";
        foreach (IGrouping<string, WorkHandlerRegistration> kind in options.Handlers.GroupBy(static handler => handler.Kind).Where(static kind => kind.Count() > 1))
            yield return $"The kind '{kind.Key}' has several handlers: {string.Join(", ", kind.Select(static handler => handler.Name))}.";
    }

    private static bool IsOfWorkerName(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '-';
}
