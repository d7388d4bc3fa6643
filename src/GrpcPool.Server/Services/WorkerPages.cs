using GrpcPool.Core.Workers;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>Cuts the list of workers into pages: by their number, and by bytes, since a worker names many kinds and labels.</summary>
internal static class WorkerPages
{
    private const int SizeMax = 1000;
    private const int SizeDefault = 100;
    private const int TokenCharactersMax = 128;

    /// <summary>No message of the server is larger than 3.5 MiB: clients stop at 4.</summary>
    private const int PageBytesMax = 3_500_000;

    public static ListWorkersResponse Read(ListWorkersRequest request, IReadOnlyList<WorkerState> workers)
    {
        var checks = new FieldChecks();
        checks.Range(request.PageSize, 0, SizeMax, "page_size");
        checks.Characters(request.PageToken, TokenCharactersMax, "page_token");
        checks.ThrowIfAny();
        var response = new ListWorkersResponse();
        int size = request.PageSize == 0 ? SizeDefault : request.PageSize;
        int bytes = 0;
        foreach (WorkerState worker in workers.SkipWhile(worker => string.CompareOrdinal(worker.Id, request.PageToken) <= 0))
        {
            WorkerInfo info = PoolMapping.ToInfo(worker);
            bytes += info.CalculateSize();
            if (response.Workers.Count == size || (response.Workers.Count > 0 && bytes > PageBytesMax))
            {
                response.NextPageToken = response.Workers[^1].WorkerId;
                break;
            }

            response.Workers.Add(info);
        }

        return response;
    }
}
