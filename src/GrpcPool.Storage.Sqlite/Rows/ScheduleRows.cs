using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite.Rows;

/// <summary>Reads schedules from their rows, by one connection.</summary>
internal sealed class ScheduleRows(Connection connection)
{
    private readonly Statement _byId = connection.PrepareFile("schedule_by_id");
    private readonly Statement _read = connection.PrepareFile("schedule_read");
    private readonly Statement _readAll = connection.PrepareFile("schedule_read_all");

    /// <summary>Finds a schedule; also one that is deleted.</summary>
    public ScheduleRecord? Find(ScheduleId id)
    {
        if (!_byId.Bind(1, id.Namespace).Bind(2, id.Value).Step())
            return null;
        ScheduleRecord schedule = Read(_byId);
        _byId.Reset();
        return schedule;
    }

    /// <summary>The schedules of a namespace that are not deleted, in the order of their ids.</summary>
    public SchedulePage Read(string @namespace, string after, int limit, int bytesMax)
    {
        var schedules = new List<ScheduleRecord>();
        long bytes = 0;
        _read.Bind(1, @namespace).Bind(2, after);
        while (_read.Step())
        {
            if (schedules.Count == limit || bytes >= bytesMax)
            {
                _read.Reset();
                return new SchedulePage(schedules, More: true);
            }

            schedules.Add(Read(_read));
            bytes += schedules[^1].Spec.Task.Payload.Length;
        }

        return new SchedulePage(schedules, More: false);
    }

    /// <summary>Reads every row, to see whether it can be read.</summary>
    public void ReadAll(Action<Action> look)
    {
        while (_readAll.Step())
            look(() => Read(_readAll));
    }

    public static Checksum ChecksumOf(ScheduleId id) => Checksum.None.Add(id.Namespace).Add(id.Value);

    private static ScheduleRecord Read(Statement row)
    {
        var id = new ScheduleId(row.Text(0), row.Text(1));
        return SchedulePack.Read(PackReader.Open(row.Blob(2), ChecksumOf(id)), id);
    }
}
