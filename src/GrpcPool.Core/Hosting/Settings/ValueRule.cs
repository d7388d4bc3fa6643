namespace GrpcPool.Core.Hosting.Settings;

/// <summary>Reads a value from its text; false when the text is of another type.</summary>
internal delegate bool TryRead<T>(string text, out T value);

/// <summary>The type and range of a setting's value.</summary>
/// <param name="Text">The rule as a noun phrase, for messages and for the list of settings.</param>
/// <param name="TryRead">From text to value, the type only.</param>
/// <param name="Allows">Whether the value is in range.</param>
/// <param name="Format">From value to text; null for no value.</param>
/// <param name="Bare">Whether JSON has the text without quotes.</param>
/// <param name="IsSecret">Whether the value is shown nowhere.</param>
internal sealed record ValueRule<T>(string Text, TryRead<T> TryRead, Func<T, bool> Allows, Func<T, string?> Format, bool Bare = false, bool IsSecret = false);
