using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using GrpcPool.Core.Tasks;

namespace GrpcPool.Core.Handlers;

/// <summary>A payload that is one JSON object with known fields. A broken rule becomes a failure that names the field and the rule.</summary>
internal sealed class JsonPayload
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly JsonElement _root;

    private JsonPayload(JsonElement root) => _root = root;

    public static bool TryRead<T>(
        ReadOnlyMemory<byte> payload,
        Func<JsonPayload, T> read,
        [MaybeNullWhen(false)] out T value,
        [NotNullWhen(false)] out Failure? invalid)
    {
        try
        {
            using var document = JsonDocument.Parse(payload, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException("the payload must be a JSON object");
            value = read(new JsonPayload(document.RootElement));
            invalid = null;
            return true;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            // Half of a surrogate pair is found when the text is asked for.
            string message = e is FormatException ? e.Message : $"the payload must be a JSON object: {e.Message}";
            value = default;
            invalid = new Failure(FailureCode.InvalidPayload, message, retryable: false);
            return false;
        }
    }

    public void AllowOnly(params ReadOnlySpan<string> names)
    {
        foreach (JsonProperty property in _root.EnumerateObject())
        {
            if (!names.Contains(property.Name))
                throw new FormatException($"{property.Name}: there is no such field, only {string.Join(", ", names!)}");
        }
    }

    public double Number(string name, double min, double max)
    {
        if (Find(name) is { ValueKind: JsonValueKind.Number } element && element.TryGetDouble(out double value) && value >= min && value <= max)
            return value;
        throw Broken(name, string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}"));
    }

    public int? Integer(string name, int min, int max) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } element when element.TryGetInt32(out int value) && value >= min && value <= max => value,
        _ => throw Broken(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}")),
    };

    public string? Text(string name, int charactersMax) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } element when element.GetString() is { } value && value.Length <= charactersMax => value,
        _ => throw Broken(name, string.Create(CultureInfo.InvariantCulture, $"a text of at most {charactersMax} characters")),
    };

    public bool? Flag(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True or JsonValueKind.False } element => element.GetBoolean(),
        _ => throw Broken(name, "true or false"),
    };

    private JsonElement? Find(string name) => _root.TryGetProperty(name, out JsonElement element) ? element : null;

    private static FormatException Broken(string name, string rule) => new($"{name}: must be {rule}");
}
