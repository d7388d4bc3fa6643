using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Core.Schedules;
using static GrpcPool.Core.Tests.Hosting.SettingsReader;

namespace GrpcPool.Core.Tests.Hosting;

public sealed class ScheduleSettingsTests
{
    private const string Three = """
        {
          "Schedules": {
            "nightly": {
              "Cron": "30 2 * * *", "TimeZone": "Europe/Berlin", "Kind": "report", "Payload": "{\"day\": 1}", "ContentType": "application/json", "Overlap": "QueueOne",
              "CatchUp": "one", "Jitter": "00:05:00", "Labels": { "team": "blue" }, "RunTimeout": "01:00:00", "MaxAttempts": 3, "Priority": -5, "SerialKey": "reports"
            },
            "poll": { "FixedRate": "00:00:30", "Kind": "echo", "StartAt": "2027-01-31T08:00:00+01:00", "EndAt": "2027-02-01T00:00Z", "MaxRuns": 10 },
            "sweep": { "FixedDelay": "00:10:00", "Kind": "echo", "Queue": "slow" }
          }
        }
        """;

    [Fact]
    public void A_file_alone_makes_schedules()
    {
        GrpcPoolOptions options = ReadJson(Three);
        ReconcileSchedules schedules = ScheduleBook.FromSettings(options);
        ScheduleSpec nightly = schedules.Named[new ScheduleId("default", "nightly")];
        Assert.Equal(new Timetable.Cron("30 2 * * *", "Europe/Berlin"), nightly.Timetable);
        Assert.Equal((OverlapPolicy.QueueOne, CatchUpPolicy.One, TimeSpan.FromMinutes(5)), (nightly.Overlap, nightly.CatchUp, nightly.Jitter));
        Assert.Equal(("report", "default", -5, "reports", 3), (nightly.Task.Kind, nightly.Task.Queue, nightly.Task.Priority, nightly.Task.SerialKey, nightly.Task.Retry.MaxAttempts));
        Assert.Equal(("{\"day\": 1}", "blue"), (System.Text.Encoding.UTF8.GetString(nightly.Task.Payload.Span), nightly.Task.Labels["team"]));
        ScheduleSpec poll = schedules.Named[new ScheduleId("default", "poll")];
        Assert.Equal((new Timetable.FixedRate(TimeSpan.FromSeconds(30)), 10, new DateTimeOffset(2027, 1, 31, 7, 0, 0, TimeSpan.Zero)), (poll.Timetable, poll.MaxRuns, poll.StartAt));
        Assert.Equal(("slow", OverlapPolicy.Skip), (schedules.Named[new ScheduleId("default", "sweep")].Task.Queue, schedules.Named[new ScheduleId("default", "sweep")].Overlap));
    }

    [Fact]
    public void What_is_shown_can_be_read_again()
    {
        string json = SettingsText.ToJson(PoolSettings.Table, ReadJson(Three));
        Assert.Equal(json, SettingsText.ToJson(PoolSettings.Table, ReadJson(json)));
    }

    [Fact]
    public void All_that_is_wrong_is_told_at_once() => Assert.Equal(
        [
            "Limits:Schedules is \"-1\"; give a whole number from 0 to 1,000,000, or leave it out for the default (10000).",
            "Schedules:a:Cron is \"every day\"; give a cron expression of 5 fields, or 6 with the seconds first, or leave it out for the default (none).",
            "Schedules:a:Kind is empty; give 1–64 characters of a–z, 0–9, \".\", \"_\" and \"-\".",
            "Schedules:a:Labels:Team is no label; give a name of 1 to 64 characters of [a-z0-9_] and a text of at most 256 bytes.",
            "Schedules:a:TimeZone is \"Nowhere/City\"; give a name of the IANA database of time zones that this machine has, such as Europe/Berlin, or leave it out for the default (UTC).",
            "Schedules:b:Cron is missing; give it, FixedRate or FixedDelay.",
            "Schedules:b:Every is no setting; remove it, or use one of Cron, TimeZone, FixedRate, FixedDelay, StartAt, EndAt, MaxRuns, Jitter, Overlap, CatchUp, Kind, Queue, Payload, ContentType, Priority, SerialKey, RunTimeout, MaxAttempts, Labels.",
            "Schedules:b:StartAt is \"tomorrow\"; give a time such as 2027-01-31T08:00:00Z, or leave it out for the default (none).",
            "Schedules:c:Cron is not the only timetable; give one of Cron, FixedRate and FixedDelay.",
            "Schedules:c:EndAt is before StartAt; give a later time.",
        ],
        RefuseJson("""
            {
              "Schedules": {
                "a": { "Cron": "every day", "TimeZone": "Nowhere/City", "Labels": { "Team": "x" } },
                "b": { "Every": "day", "Kind": "echo", "StartAt": "tomorrow" },
                "c": { "Cron": "* * * * *", "FixedRate": "00:01:00", "Kind": "echo", "StartAt": "2027-01-02T00:00Z", "EndAt": "2027-01-01T00:00Z" }
              },
              "Limits": { "Schedules": -1 }
            }
            """));
}
