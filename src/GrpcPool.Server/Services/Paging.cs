using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.V1;
using TaskFilter = GrpcPool.Core.Storage.TaskFilter;

namespace GrpcPool.Server.Services;

/// <summary>Pages of a list. A token names the last task seen and the filter it belongs to; tasks that come and go do not disturb it.</summary>
internal static class Paging
{
    private const int PageSizeDefault = 100;
    private const int PageSizeMax = 1000;
    private const int PageBytesMax = 3_000_000;
    private const int FilterBytes = 8;

    public static TaskScan Read(ListRequest request, TaskFilter filter)
    {
        var checks = new FieldChecks();
        checks.Range(request.PageSize, 0, PageSizeMax, "page_size");
        checks.View(request.View);
        long? from = request.PageToken.Length == 0 ? null : ReadToken(request.PageToken, filter);
        checks.Require(request.PageToken.Length == 0 || from is not null, "page_token", "must be the next_page_token of a page of the same filter");
        checks.ThrowIfAny();
        return new TaskScan(filter, from, NewestFirst: true, request.PageSize == 0 ? PageSizeDefault : request.PageSize);
    }

    public static ListResponse Answer(TaskPage page, ListRequest request, TaskFilter filter, long revision, Func<TaskRecord, TaskInfo> map)
    {
        var response = new ListResponse { Revision = revision };
        long? next = page.Next;
        int bytes = 0;
        for (int i = 0; i < page.Tasks.Count; i++)
        {
            TaskInfo info = map(page.Tasks[i]);
            bytes += info.CalculateSize();
            if (i > 0 && bytes > PageBytesMax)
            {
                next = page.Tasks[i - 1].Sequence;
                break;
            }

            response.Tasks.Add(info);
        }

        response.NextPageToken = next is { } last ? MakeToken(last, filter) : "";
        return response;
    }

    private static string MakeToken(long sequence, TaskFilter filter)
    {
        byte[] token = [.. BitConverter.GetBytes(sequence), .. Fingerprint(filter)];
        return Base64Url.EncodeToString(token);
    }

    private static long? ReadToken(string token, TaskFilter filter)
    {
        byte[] bytes = new byte[sizeof(long) + FilterBytes];
        bool read = token.Length == Base64Url.GetEncodedLength(bytes.Length) && Base64Url.IsValid(token) && Base64Url.TryDecodeFromChars(token, bytes, out _);
        return read && bytes.AsSpan(sizeof(long)).SequenceEqual(Fingerprint(filter)) ? BitConverter.ToInt64(bytes) : null;
    }

    private static ReadOnlySpan<byte> Fingerprint(TaskFilter filter)
    {
        IEnumerable<string> labels = filter.Labels.OrderBy(static label => label.Key, StringComparer.Ordinal).Select(static label => $"{label.Key}={label.Value}");
        string[] parts =
        [
            filter.Namespace, string.Join(',', filter.States.Order()), string.Join(',', filter.Queues.Order()), string.Join(',', filter.Kinds.Order()), string.Join('\n', labels),
            filter.SerialKey, filter.ParentId, filter.ScheduleId, filter.Group, $"{filter.SubmittedAfter:O}", $"{filter.SubmittedBefore:O}",
        ];
        return SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts))).AsSpan(0, FilterBytes);
    }
}
