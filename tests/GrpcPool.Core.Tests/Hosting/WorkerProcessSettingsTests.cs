using GrpcPool.Core.Hosting;
using static GrpcPool.Core.Tests.Hosting.SettingsReader;

namespace GrpcPool.Core.Tests.Hosting;

public sealed class WorkerProcessSettingsTests
{
    private const string Key = "Workers:Processes:resize";

    private static readonly (string, string?) Command = ($"{Key}:Command", Environment.ProcessPath!);

    [Fact]
    public void A_program_is_read_with_its_counts_and_times()
    {
        WorkerProcessOptions resize = ReadKeys(
            Command, ($"{Key}:Arguments:0", "worker.py"), ($"{Key}:Environment:LANG", "C"), ($"{Key}:Minimum", "2"), ($"{Key}:Maximum", "8"),
            ($"{Key}:MaxTasks", "1000"), ($"{Key}:IdleTimeout", "00:00:10"), ($"{Key}:KillAfter", "00:00:03")).Workers.Processes["resize"];

        Assert.Equal((2, 8, 8, 1000), (resize.Minimum, resize.Maximum, resize.Seats, resize.MaxTasks));
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(3)), (resize.IdleTimeout, resize.KillAfter));
        Assert.Equal(("worker.py", "C"), (Assert.Single(resize.Arguments), resize.Environment["LANG"]));
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("0", 1)]
    [InlineData("5", 5)]
    public void Without_a_most_there_are_as_many_as_at_least_but_one(string minimum, int seats) =>
        Assert.Equal(seats, ReadKeys(Command, ($"{Key}:Minimum", minimum)).Workers.Processes["resize"].Seats);

    [Theory]
    [InlineData("Command", "worker.py", "is \"worker.py\"; give the absolute path of an executable file")]
    [InlineData("Minimum", "-1", "is \"-1\"; give a whole number from 0 to 1,000")]
    [InlineData("Maximum", "0", "is \"0\"; give a whole number from 1 to 1,000")]
    [InlineData("MaxTasks", "0", "is \"0\"; give a whole number from 1 to 1,000,000,000")]
    [InlineData("IdleTimeout", "5", "is \"5\"; give a time span")]
    [InlineData("InitialBackoff", "00:00:00", "is \"00:00:00\"; give a time span from 00:00:00.01")]
    [InlineData("Maximun", "3", "is no setting; did you mean Workers:Processes:resize:Maximum?")]
    public void A_wrong_part_of_a_program_is_refused(string key, string value, string start)
    {
        (string, string?)[] settings = key == "Command" ? [] : [Command];
        Assert.StartsWith($"{Key}:{key} {start}", Assert.Single(Refuse([.. settings, ($"{Key}:{key}", value)])));
    }

    [Fact]
    public void Counts_and_pauses_are_in_order_and_names_are_names()
    {
        Assert.StartsWith($"{Key}:Maximum is \"2\", less than {Key}:Minimum (3);", Assert.Single(Refuse(Command, ($"{Key}:Minimum", "3"), ($"{Key}:Maximum", "2"))));
        string[] backoff = Refuse(Command, ($"{Key}:InitialBackoff", "00:00:02"), ($"{Key}:MaxBackoff", "00:00:01"));
        Assert.StartsWith($"{Key}:MaxBackoff is \"00:00:01\", less than {Key}:InitialBackoff (00:00:02);", Assert.Single(backoff));
        Assert.StartsWith("Workers:Processes:Re size has a name that is not allowed;", Assert.Single(Refuse(("Workers:Processes:Re size:Command", Environment.ProcessPath!))));
    }
}
