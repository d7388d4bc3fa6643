using GrpcPool.Core.Schedules;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Storage.Packs;
using GrpcPool.Core.Tasks;
using GrpcPool.Storage.Sqlite.Guard;
using GrpcPool.Storage.Sqlite.Rows;
using GrpcPool.Testing;
using GrpcPool.Testing.Fuzzing;

namespace GrpcPool.Storage.Tests.Fuzzing;

/// <summary>What stands in a database is read as it was written, or refused as damaged.</summary>
public sealed class RowTests
{
    private static readonly TaskRecord Columns = new()
    {
        Id = Given.Id("t"),
        Spec = Given.Spec,
        Sequence = 1,
        State = TaskState.Failed,
        Version = 1,
        Revision = 1,
        SubmittedAt = Given.Now,
        UpdatedAt = Given.Now,
        RunAt = Given.Now,
    };

    private static readonly TaskRecord Full = Columns with
    {
        Spec = Given.Spec with
        {
            Payload = new byte[] { 1, 2 },
            ContentType = "text/plain",
            Labels = new Dictionary<string, string> { ["a"] = "b", ["c"] = "d" },
            Headers = new Dictionary<string, string> { ["h"] = "v" },
            ScheduleId = "s",
            Group = "g",
            UniqueKey = "u",
            After = ["x", "y"],
            RunTimeout = TimeSpan.FromSeconds(3),
            Retry = Given.ThreeAttempts,
        },
        SpecHash = [1, 2, 3],
        SubmittedBy = "me",
        DueAt = Given.Now,
        StartedAt = Given.Now,
        ExpiresAt = Given.Now,
        Worker = "w",
        Failures = 1,
        Awaits = 2,
        Dependants = 3,
        Cancellation = new Cancellation("why", "who", Given.Now),
        Failure = new Failure(FailureCode.HandlerError, "no", retryable: true, "because"),
        Progress = new TaskProgress(0.5, "half", Given.Now),
        Result = new byte[] { 9 },
        ResultContentType = "text/plain",
        Lease = new LeaseState(5, Given.Now, new(1, 2)),
        FormerAttempts = [new AttemptRecord(1, Given.Now, Given.Now, "w", new Failure(FailureCode.LeaseLost, "", retryable: true))],
    };

    private static readonly ScheduleRecord Schedule = new()
    {
        Id = GivenSchedule.Id("s"),
        Spec = GivenSchedule.Spec,
        CreatedAt = Given.Now,
        UpdatedAt = Given.Now,
        Since = Given.Now,
        DueAt = Given.Now,
        LastRunAt = Given.Now,
        LastTaskId = "t",
        Unfired = new Unfired(Given.Now, [new Gap(Given.Now, Given.Now)]),
        LastFailure = new ScheduleFailure("t", "no", Given.Now),
        SettingsHash = [1],
        Runs = 3,
        Paused = true,
    };

    [Fact]
    public void A_spec() => Reads(
        [Pack(pack => SpecPack.Write(pack, Columns)), Pack(pack => SpecPack.Write(pack, Full))], ReadSpec, SpecPack.Write);

    [Fact]
    public void A_life() => Reads(
        [Pack(pack => LifePack.Write(pack, Columns)), Pack(pack => LifePack.Write(pack, Full))], ReadLife, LifePack.Write);

    /// <summary>It stays in memory, where nothing changes it.</summary>
    [Fact]
    public void A_finished_task_is_unpacked_as_it_was()
    {
        TaskRecord finished = Full with { FinishedAt = Given.Now, Version = 7, Attempt = 3, Losses = 2, Spec = Full.Spec with { Priority = -5, Slots = 2, SerialKey = "k" } };
        byte[] written = Pack(pack => FinishedPack.Write(pack, finished));
        TaskRecord read = FinishedPack.Read(written, finished.Sequence, finished.Revision);
        Assert.Equal(written, Pack(pack => FinishedPack.Write(pack, read)));
        Assert.Equivalent(finished, read);
    }

    /// <summary>Two stores of a process have each its own lock, and share the strings of the task that was read before.</summary>
    [Fact]
    public void A_task_has_its_own_names_whatever_is_read_beside_it() => Parallel.For(0, 2, i =>
    {
        TaskRecord finished = Full with { Id = new TaskId($"n{i}", "t"), FinishedAt = Given.Now, Spec = Full.Spec with { Kind = $"k{i}", Queue = $"q{i}" } };
        byte[] written = Pack(pack => FinishedPack.Write(pack, finished));
        for (int times = 0; times < 200_000; times++)
        {
            TaskRecord read = FinishedPack.Read(written, finished.Sequence, finished.Revision);
            Assert.Equal((finished.Id, finished.Spec.Kind, finished.Spec.Queue), (read.Id, read.Spec.Kind, read.Spec.Queue));
        }
    });

    [Fact]
    public void A_schedule() => Reads([Pack(pack => SchedulePack.Write(pack, Schedule))], static data => SchedulePack.Read(data, Schedule.Id), SchedulePack.Write);

    [Fact]
    public void The_changes_of_a_commit() => Reads(
        [Pack(static pack => ChangesPack.Write(pack, [new PackedChange(7, default), new PackedChange(0, Given.Id("gone")), new PackedChange(3, default)]))], static data => ChangesPack.Read(data), ChangesPack.Write);

    [Fact]
    public void A_sealed_value_that_was_changed_is_damaged()
    {
        byte[] written = [.. Writer(static pack => SpecPack.Write(pack, Full)).Seal(Checksum.None)];
        Fuzz.Bytes([written], bytes =>
        {
            bool same = bytes.AsSpan().SequenceEqual(written);
            Exception? fault = Record.Exception(() => { PackReader.Open(bytes, Checksum.None); });
            Assert.True(same ? fault is null : fault is StorageException { Fault: StorageFault.Corrupt });
        });
    }

    [Fact]
    public void The_table_of_mounts() => Fuzz.Texts("mounts", static text => _ = new MountTable(text.Split('\n')).TypeAt("/mnt2/data"));

    private static TaskRecord ReadSpec(byte[] spec) => Read(Pack(static pack => LifePack.Write(pack, Columns)), spec);

    private static TaskRecord ReadLife(byte[] life) => Read(life, Pack(static pack => SpecPack.Write(pack, Columns)));

    private static TaskRecord Read(byte[] lifeData, byte[] specData)
    {
        var life = new PackReader(lifeData);
        var spec = new PackReader(specData);
        return LifePack.Read(TaskColumns.Of(Columns), ref life, ref spec, static _ => [], static _ => []);
    }

    private static void Reads<T>(byte[][] corpus, Func<byte[], T> read, Action<PackWriter, T> write)
    {
        foreach (byte[] written in corpus)
            Assert.Equal(written, Pack(pack => write(pack, read(written))));
        Fuzz.Bytes(corpus, data =>
        {
            try
            {
                read(data);
            }
            catch (StorageException refusal) when (refusal.Fault == StorageFault.Corrupt)
            {
                // As documented.
            }
        });
    }

    private static byte[] Pack(Action<PackWriter> write) => [.. Writer(write).Written];

    private static PackWriter Writer(Action<PackWriter> write)
    {
        var pack = new PackWriter();
        write(pack.Clear());
        return pack;
    }
}
