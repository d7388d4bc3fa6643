using System.Globalization;
using System.IO.Pipelines;
using Google.Protobuf;
using Google.Rpc;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using GrpcPool.Server.Observability;
using GrpcPool.Server.Services;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using HttpResponse = Microsoft.AspNetCore.Http.HttpResponse;
using Status = Google.Rpc.Status;

namespace GrpcPool.Server.Access;

/// <summary>Answers a call that does not reach its service, and reads how others were answered.</summary>
internal static class Refusal
{
    private const string StatusHeader = "grpc-status", DetailsHeader = "grpc-status-details-bin";
    private const string GrpcContentType = "application/grpc";

    /// <summary>
    /// Answers a call whose only message is read first, and forgotten. Where a body is not read to its end, Kestrel cuts it off: of a caller who goes on calling it then closes the connection, or
    /// answers in its own words.
    /// </summary>
    public static async Task WriteAfterMessageAsync(HttpContext context, PoolError error)
    {
        if (MethodOf(context)?.Type is MethodType.Unary or MethodType.ServerStreaming)
            await SkipAsync(context.Request.BodyReader, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, error).ConfigureAwait(false);
    }

    /// <summary>An answer of headers alone, as gRPC and gRPC-Web have it; plain HTTP gets the status of HTTP.</summary>
    public static Task WriteAsync(HttpContext context, PoolError error)
    {
        Status status = ErrorTable.ToStatus(error);
        HttpResponse response = context.Response;
        if (context.Request.ContentType?.StartsWith(GrpcContentType, StringComparison.OrdinalIgnoreCase) != true)
        {
            response.StatusCode = (Code)status.Code switch
            {
                Code.Unauthenticated => StatusCodes.Status401Unauthorized,
                Code.ResourceExhausted => StatusCodes.Status429TooManyRequests,
                _ => StatusCodes.Status403Forbidden,
            };
            if (response.StatusCode == StatusCodes.Status401Unauthorized)
                response.Headers.WWWAuthenticate = "Bearer";
            return Task.CompletedTask;
        }

        if (MethodOf(context) is { } method)
            context.RequestServices.GetRequiredService<CallMeter>().Refused(method.FullName, (StatusCode)status.Code);
        response.ContentType = context.Request.ContentType;
        response.Headers[StatusHeader] = status.Code.ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(status.Message);
        response.Headers[DetailsHeader] = Convert.ToBase64String(status.ToByteArray());
        return Task.CompletedTask;
    }

    /// <summary>What is called; null where that is no RPC of this server.</summary>
    public static IMethod? MethodOf(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;

    /// <summary>The status of a call that has been answered, as far as it is known.</summary>
    public static StatusCode OutcomeOf(HttpContext context)
    {
        StringValues told = TrailerOf(context, StatusHeader);
        return int.TryParse(told.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out int code) ? (StatusCode)code : StatusCode.Unknown;
    }

    /// <summary>Whether the answer says more than its status: what the pool refuses does, and what gRPC refuses does not.</summary>
    public static bool HasDetails(HttpContext context) => TrailerOf(context, DetailsHeader).Count > 0;

    private static StringValues TrailerOf(HttpContext context, string name) =>
        context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers.TryGetValue(name, out StringValues trailer) == true ? trailer : context.Response.Headers[name];

    /// <summary>Reads a body, but for what no message may have.</summary>
    private static async Task SkipAsync(PipeReader body, CancellationToken aborted)
    {
        ReadResult read;
        long skipped = 0;
        try
        {
            do
            {
                read = await body.ReadAsync(aborted).ConfigureAwait(false);
                skipped += read.Buffer.Length;
                body.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted && skipped <= PoolGrpcServices.ReceiveBytesMax);
        }
        catch (Exception fault) when (fault is RpcException or IOException)
        {
            // It would be refused for itself; that the call is says enough.
        }
    }
}
