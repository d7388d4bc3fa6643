using System.Text.Json;
using Google.Protobuf;
using GrpcPool.V1;
using Microsoft.AspNetCore.Http.HttpResults;

namespace GrpcPool.SampleHost;

/// <summary><c>POST /resize</c>: hands the work to the pool, and answers with the id of its task.</summary>
internal static class ResizeEndpoint
{
    public static async Task<Accepted<Accepted>> SubmitAsync(ResizeRequest request, TaskPoolService.TaskPoolServiceClient pool, CancellationToken cancellationToken)
    {
        var task = new TaskSpec { Kind = "resize", Payload = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(request, AppJson.Default.ResizeRequest)) };
        SubmitResponse response = await pool.SubmitAsync(new SubmitRequest { Task = task }, cancellationToken: cancellationToken);
        return TypedResults.Accepted((string?)null, new Accepted(response.Task.Id));
    }
}
