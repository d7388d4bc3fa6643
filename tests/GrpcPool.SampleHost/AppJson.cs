using System.Text.Json.Serialization;

namespace GrpcPool.SampleHost;

/// <summary>An image to be made smaller.</summary>
internal sealed record ResizeRequest(string Image, int Width);

/// <summary>A smaller image.</summary>
internal sealed record ResizeResult(string Image, int Width, int Height);

/// <summary>A task that was accepted.</summary>
internal sealed record Accepted(string Id);

/// <summary>How many stores there have been.</summary>
internal sealed record StoreReport(int Opened, int Disposed);

/// <summary>How they are read and written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ResizeRequest))]
[JsonSerializable(typeof(ResizeResult))]
[JsonSerializable(typeof(Accepted))]
[JsonSerializable(typeof(StoreReport))]
internal sealed partial class AppJson : JsonSerializerContext;
