using System.Text;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.V1;

namespace GrpcPool.Server.Services;

/// <summary>Pages of schedules. A token names the last one seen; schedules that come and go do not disturb it.</summary>
internal static class SchedulePaging
{
    private const int PageSizeDefault = 100;
    private const int PageSizeMax = 1000;
    private const int PageBytesMax = 3_000_000;

    public static (string After, int Limit) Read(ListSchedulesRequest request)
    {
        var checks = new FieldChecks();
        checks.Range(request.PageSize, 0, PageSizeMax, "page_size");
        string after = ReadToken(request.PageToken);
        checks.Require(request.PageToken.Length == 0 || after.Length is > 0 and <= ScheduleId.CharactersMax, "page_token", "must be the next_page_token of a page");
        checks.ThrowIfAny();
        return (after, request.PageSize == 0 ? PageSizeDefault : request.PageSize);
    }

    public static ListSchedulesResponse Answer(SchedulePage page)
    {
        var response = new ListSchedulesResponse();
        int bytes = 0;
        foreach (ScheduleRecord record in page.Schedules)
        {
            Schedule schedule = ScheduleMapping.ToSchedule(record, withPayload: false);
            bytes += schedule.CalculateSize();
            if (response.Schedules.Count > 0 && bytes > PageBytesMax)
                break;
            response.Schedules.Add(schedule);
        }

        bool more = page.More || response.Schedules.Count < page.Schedules.Count;
        response.NextPageToken = more ? Convert.ToHexString(Encoding.UTF8.GetBytes(response.Schedules[^1].Id)) : "";
        return response;
    }

    private static string ReadToken(string token) =>
        token.Length % 2 == 0 && token.All(char.IsAsciiHexDigit) ? Encoding.UTF8.GetString(Convert.FromHexString(token)) : "";
}
