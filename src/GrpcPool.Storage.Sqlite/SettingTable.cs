using GrpcPool.Core.Storage;
using GrpcPool.Storage.Sqlite.Engine;

namespace GrpcPool.Storage.Sqlite;

/// <summary>What operators have changed about the settings. Not thread-safe.</summary>
internal sealed class SettingTable(Connection connection)
{
    private readonly Statement _write = connection.PrepareFile("setting_write");
    private readonly Statement _remove = connection.PrepareFile("setting_remove");
    private readonly Statement _all = connection.PrepareFile("setting_read_all");

    public IReadOnlyList<SettingChange> All
    {
        get
        {
            var settings = new List<SettingChange>();
            while (_all.Step())
                settings.Add(new SettingChange(_all.Text(0), _all.Text(1)));
            return settings;
        }
    }

    public void Write(SettingChange change)
    {
        if (change.Value is null)
            _remove.Bind(1, change.Key).Run();
        else
            _write.Bind(1, change.Key).Bind(2, change.Value).Run();
    }
}
