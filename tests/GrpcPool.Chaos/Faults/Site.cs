using Grpc.Net.Client;
using GrpcPool.Chaos.Histories;
using GrpcPool.Server.Tests.Infrastructure;
using GrpcPool.V1;

namespace GrpcPool.Chaos.Faults;

/// <summary>A folder with a database, which one server process after another serves.</summary>
internal sealed class Site : IAsyncDisposable
{
    public const string DatabaseFile = "grpcpool.db";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("grpcpool-chaos-");
    private readonly List<string> _settings;
    private readonly LossyDisk? _disk;
    private readonly Dictionary<string, string> _environment;
    private ServerProcess? _server;

    /// <param name="settings">Settings beside those of every run.</param>
    /// <param name="disk">Makes the disk of the folder, where it is not to be an ordinary one.</param>
    /// <param name="environment">Variables of the server's environment.</param>
    public Site(IEnumerable<string>? settings = null, Func<string, LossyDisk>? disk = null, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        _disk = disk?.Invoke(_folder.FullName);
        _environment = new Dictionary<string, string>([.. environment ?? [], .. _disk?.Environment ?? new Dictionary<string, string>()]);
        Record = new HandlerRecord(_folder.FullName);
        _settings =
        [
            "Listen:Http=", "Listen:Ops=", $"Storage:Path={Path.Combine(_folder.FullName, DatabaseFile)}", "Queues:default:Capacity=1000000",
            .. Record.Settings, .. settings ?? [],
        ];
    }

    public string Folder => _folder.FullName;

    /// <summary>What the commands have written down.</summary>
    public HandlerRecord Record { get; }

    public LossyDisk Disk => _disk!;

    /// <summary>How large the database is without what is in SQLite's log only.</summary>
    public long CheckpointedBytes => new FileInfo(Path.Combine(Folder, DatabaseFile)).Length;

    /// <summary>How many servers have died so far.</summary>
    public int Deaths { get; private set; }

    /// <summary>Whether the folder outlives this, for whoever wants to look into it.</summary>
    public bool Keep { get; set; }

    public Uri Address => _server!.GrpcAddress;

    /// <summary>Ends when the server that runs is dead.</summary>
    public Task Death { get; private set; } = Task.CompletedTask;

    /// <summary>A client of the server that runs.</summary>
    public TaskPoolService.TaskPoolServiceClient Client { get; private set; } = null!;

    /// <summary>A client of its schedules.</summary>
    public ScheduleService.ScheduleServiceClient Schedules { get; private set; } = null!;

    /// <summary>A setting for the servers to come, which wins over a former one.</summary>
    public void Set(string setting) => _settings.Add(setting);

    public async Task StartAsync(CancellationToken stop)
    {
        _server = await ServerProcess.ServeAsync(_settings, _environment, stop);
        var channel = GrpcChannel.ForAddress(_server.GrpcAddress, new GrpcChannelOptions { MaxReceiveMessageSize = null });
        (Client, Schedules) = (new TaskPoolService.TaskPoolServiceClient(channel), new ScheduleService.ScheduleServiceClient(channel));
        Death = DieAsync(_server, channel);
    }

    /// <summary>Ends the server as kill -9 does, and with it the power where the disk is one that minds.</summary>
    public async Task KillAsync()
    {
        _server!.Kill();
        await Death;
        _disk?.LosePower();
    }

    /// <summary>All tasks as they are recorded, in the order of their submission.</summary>
    public async Task<IReadOnlyList<TaskInfo>> ListAsync(CancellationToken stop)
    {
        var tasks = new List<TaskInfo>();
        var request = new ListRequest { PageSize = 1000, View = TaskView.Full };
        do
        {
            ListResponse page = await Client.ListAsync(request, cancellationToken: stop);
            tasks.AddRange(page.Tasks);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        tasks.Reverse();
        return tasks;
    }

    /// <summary>Starts a server that is killed after a while, if it listens by then or not.</summary>
    public async Task KillWhileStartingAsync(TimeSpan after, CancellationToken stop)
    {
        using var server = ServerProcess.Start(_settings, _environment, stop);
        await Task.Delay(after, TimeProvider.System, stop);
        server.Kill();
        await server.EndAsync();
        Deaths++;
        _disk?.LosePower();
    }

    public async ValueTask DisposeAsync()
    {
        if (!Death.IsCompleted)
            await KillAsync();
        if (!Keep)
            _folder.Delete(recursive: true);
    }

    private async Task DieAsync(ServerProcess server, GrpcChannel channel)
    {
        using (server)
        using (channel)
            await server.EndAsync();
        Deaths++;
    }
}
