using GrpcPool.Core.Handlers;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Workers;

namespace GrpcPool.Core.Tests.Workers;

/// <summary>A worker in the hands of the test, without a transport.</summary>
internal sealed class TestWorker
{
    public const string Kind = "remote";

    public static readonly TaskSpec Spec = TestPool.Spec with { Kind = Kind };

    private readonly TestPool _pool;
    private long _sequence;

    private TestWorker(TestPool pool, WorkerStream stream) => (_pool, Stream) = (pool, stream);

    public WorkerStream Stream { get; private set; }

    public WorkerSession Session => Stream.Session;

    /// <summary>The sequence of the last assignments that it received.</summary>
    public long Received { get; private set; }

    public static async Task<TestWorker> ConnectAsync(TestPool pool, int slots = 4, int credit = 4, string @namespace = "default", params string[] kinds)
    {
        var worker = new TestWorker(pool, await ConnectAsync(pool, Hello(slots, @namespace, kinds), ""));
        if (credit > 0)
            worker.Session.AddCredit(credit);
        return worker;
    }

    public static WorkerHello Hello(int slots = 4, string @namespace = "default", params string[] kinds) =>
        new("w", @namespace, (kinds.Length == 0 ? [Kind] : kinds).ToHashSet(), slots, new Dictionary<string, string>());

    public static Task<WorkerStream> ConnectAsync(TestPool pool, WorkerHello hello, string resumeId) => pool.Pool.Workers.ConnectAsync(hello, resumeId);

    /// <summary>Comes back by another stream. True where it is still the same worker.</summary>
    public async Task<bool> ResumeAsync(WorkerHello? hello = null)
    {
        string id = Session.Id;
        Stream = await ConnectAsync(_pool, hello ?? Session.Hello, id);
        return Session.Id == id;
    }

    public void Break() => _pool.Pool.Workers.Disconnect(Stream);

    public async Task<WorkerMail> MailAsync() => (await Session.NextMailAsync(Stream, TestContext.Current.CancellationToken))!;

    /// <summary>What it is told until something holds.</summary>
    public async Task<WorkerMail> MailAsync(Func<WorkerMail, bool> holds)
    {
        while (true)
        {
            if (await MailAsync() is var mail && holds(mail))
                return mail;
        }
    }

    /// <summary>The next assignments, received.</summary>
    public async Task<IReadOnlyList<Assignment>> AssignmentsAsync()
    {
        WorkerMail mail = await MailAsync(static mail => mail.Assignments.Count > 0);
        Received = Session.Number(mail.Assignments);
        return mail.Assignments;
    }

    /// <summary>The next assignment, received.</summary>
    public async Task<Assignment> AssignmentAsync() => Assert.Single(await AssignmentsAsync());

    public void Beat(params IEnumerable<Assignment> held) => Session.Heartbeat(Received, held.Select(static one => (LeaseToken?)one.Token));

    public async Task<long> ReportAsync(Assignment assignment, TaskOutcome outcome)
    {
        await SendAsync(++_sequence, assignment, outcome);
        return _sequence;
    }

    public Task<long> SucceedAsync(Assignment assignment, string result = "") =>
        ReportAsync(assignment, TaskOutcome.Succeeded(System.Text.Encoding.UTF8.GetBytes(result)));

    public async Task SendAsync(long sequence, Assignment assignment, TaskOutcome outcome) =>
        await Session.ReportAsync(sequence, [new LeaseReport(assignment.Id.Value, assignment.Attempt, assignment.Token) { Outcome = outcome }]);
}
