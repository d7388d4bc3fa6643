using CsCheck;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Storage;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Execution;
using GrpcPool.Core.Workers;
using static GrpcPool.Core.Tests.Execution.TestPool;

namespace GrpcPool.Core.Tests.Workers;

/// <summary>Whatever workers do, and whatever happens to them, none gets more than it has asked for.</summary>
public sealed class WorkerPropertyTests
{
    private const int Workers = 3;

    private static readonly Gen<Step[]> Histories = Gen.Select(
        Gen.Frequency((4, Gen.Const(Verb.Submit)), (4, Gen.Const(Verb.Credit)), (6, Gen.Enum<Verb>())), Gen.Int[0, Workers - 1], Gen.Int[1, 4],
        static (verb, worker, number) => new Step(verb, worker, number)).Array[30, 120];

    private enum Verb
    {
        Submit,
        Credit,
        Succeed,
        Fail,
        Release,
        Beat,
        Forget,
        Break,
        Drain,
        Cancel,
        Wait,
    }

    [Fact(Timeout = 120_000)]
    public Task Never_more_is_assigned_than_credit_and_slots_allow_under_random_histories() => Histories.SampleAsync(CheckAsync, iter: 150, threads: 1);

    private static async Task CheckAsync(Step[] history)
    {
        await using TestPool pool = await StartAsync();
        RandomWorker[] workers = [.. Enumerable.Range(0, Workers).Select(i => new RandomWorker(pool, $"w{i}", slots: i + 2))];
        int seen = 0, submitted = 0;
        var running = new Dictionary<TaskId, (RandomWorker Worker, int Life)>();
        foreach (Step step in history)
        {
            if (step.Verb == Verb.Submit)
                await pool.SubmitAsync($"t{submitted++}", Spec(step.Number));
            else if (step.Verb == Verb.Cancel && submitted > 0)
                await pool.CancelAsync($"t{step.Number * 7 % submitted}", TimeSpan.Zero);
            else if (step.Verb == Verb.Wait)
                pool.Time.Advance(TimeSpan.FromSeconds(step.Number * 3));
            else
                await workers[step.Worker].DoAsync(step.Verb, step.Number);
            await pool.SettleAsync();
            TaskChange[] changes = [.. pool.Store.Changes];
            foreach (TaskChange change in changes.Skip(seen))
                Take(change, workers, running);
            seen = changes.Length;
        }
    }

    private static TaskSpec Spec(int number) => TestWorker.Spec with
    {
        Slots = (number % 3) + 1,
        Priority = number,
        Retry = new RetryPolicy { MaxAttempts = 5, InitialBackoff = TimeSpan.FromSeconds(1) },
    };

    private static void Take(TaskChange change, RandomWorker[] workers, Dictionary<TaskId, (RandomWorker Worker, int Life)> running)
    {
        bool runs = change.Type == ChangeType.Changed && change.Task.State == TaskState.Running;
        if (runs && change.Before == TaskState.Running)
            return; // It is to be cancelled.
        if (change.Before == TaskState.Running && running.Remove(change.Task.Id, out (RandomWorker Worker, int Life) former) && former.Life == former.Worker.Life)
            former.Worker.Used -= change.Task.Spec.Slots;
        if (!runs)
            return;
        RandomWorker worker = workers.Single(worker => worker.Name == change.Task.Worker);
        running.Add(change.Task.Id, (worker, worker.Life));
        worker.Used += change.Task.Spec.Slots;
        worker.Credit--;
        Assert.True(worker.Credit >= 0, $"{worker.Name} got a task without credit");
        Assert.True(worker.Used <= worker.Slots, $"{worker.Name} has {worker.Used} of {worker.Slots} slots in use");
    }

    private sealed record Step(Verb Verb, int Worker, int Number);

    /// <summary>A worker that does anything, and the books that are kept on it.</summary>
    private sealed class RandomWorker(TestPool pool, string name, int slots)
    {
        private readonly List<Assignment> _held = [];
        private WorkerStream? _stream;
        private Task<WorkerMail?>? _mail;
        private string _id = "";
        private long _received;
        private long _reported;

        public string Name { get; } = name;

        public int Slots { get; } = slots;

        /// <summary>What it has asked for and not got, since it last took all of that back.</summary>
        public int Credit { get; set; }

        public int Used { get; set; }

        /// <summary>Which worker of this name it is: one that could not resume is another, while what the former held is not over yet.</summary>
        public int Life { get; private set; }

        public async Task DoAsync(Verb verb, int number)
        {
            await BeConnectedAsync();
            Read();
            switch (verb)
            {
                case Verb.Credit:
                    Credit += number;
                    _stream!.Session.AddCredit(number);
                    break;
                case Verb.Succeed:
                    await ReportAsync(number, TaskOutcome.Succeeded());
                    break;
                case Verb.Fail:
                    await ReportAsync(number, TaskOutcome.Failed(new Failure(FailureCode.HandlerError, "random", retryable: true)));
                    break;
                case Verb.Release:
                    await ReportAsync(number, TaskOutcome.Released(began: false));
                    break;
                case Verb.Beat:
                    _stream!.Session.Heartbeat(_received, _held.Select(static held => (LeaseToken?)held.Token));
                    break;
                case Verb.Forget:
                    _held.Clear();
                    _stream!.Session.Heartbeat(_received, []);
                    break;
                case Verb.Drain:
                    Credit = 0;
                    _stream!.Session.Drain();
                    break;
                case Verb.Break:
                    Leave();
                    break;
            }
        }

        private async Task BeConnectedAsync()
        {
            if (_stream?.Ended.IsCancellationRequested == true)
                Leave();
            if (_stream is not null)
                return;
            Credit = 0;
            var hello = new WorkerHello(Name, "default", new HashSet<string> { TestWorker.Kind }, Slots, new Dictionary<string, string>());
            _stream = await pool.Pool.Workers.ConnectAsync(hello, _id);
            if (_stream.Session.Id == _id)
                return;
            (_id, _received, _reported) = (_stream.Session.Id, 0, 0);
            Life++;
            Used = 0;
            _held.Clear();
        }

        private void Leave()
        {
            Credit = 0;
            pool.Pool.Workers.Disconnect(_stream!);
            (_stream, _mail) = (null, null);
        }

        private void Read()
        {
            while ((_mail ??= _stream!.Session.NextMailAsync(_stream, CancellationToken.None).AsTask()).IsCompletedSuccessfully)
            {
                WorkerMail mail = _mail.Result!;
                _mail = null;
                if (mail.Assignments.Count > 0)
                    _received = _stream!.Session.Number(mail.Assignments);
                _held.AddRange(mail.Assignments);
            }
        }

        private async Task ReportAsync(int number, TaskOutcome outcome)
        {
            if (_held.Count == 0)
                return;
            Assignment held = _held[number % _held.Count];
            _held.Remove(held);
            await _stream!.Session.ReportAsync(++_reported, [new LeaseReport(held.Id.Value, held.Attempt, held.Token) { Outcome = outcome }]);
        }
    }
}
