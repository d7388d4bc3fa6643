using GrpcPool.Core.Handlers.Processes;
using GrpcPool.Core.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcPool.Core.Workers.Processes;

/// <summary>A process of this machine, in a session of its own. Its standard input stays open, and empty, as long as the server lives.</summary>
internal sealed class WorkerProcess : IWorkerProcess
{
    private readonly CancellationTokenSource _terminate = new();
    private readonly CancellationTokenSource _kill = new();

    private WorkerProcess(string name, WorkerProcessOptions options, string address, IWorkerPasses? passes, TimeProvider time, ILogger log)
    {
        Name = name;
        string token = CommandEnvironment.NewToken();
        string? pass = options.Environment.ContainsKey(CommandEnvironment.PassVariable) ? null : passes?.Issue(name);
        string[] environment = new CommandEnvironment(options.Environment).ForWorker(name, address, pass, ServerMark.Own, token);
        var command = new CommandLine(options.Command, options.Arguments, environment, options.WorkingDirectory ?? "/");
        try
        {
            ChildProcess child = ChildProcess.Start(command, token, time, _kill.Token);
            Pid = child.Pid;
            Ended = FollowAsync(child, (stream, closing) => new ProcessOutput(name, time, log).ReadAsync(stream, closing), passes);
        }
        catch
        {
            passes?.Revoke(name);
            throw;
        }
    }

    public string Name { get; }

    public int Pid { get; }

    public Task<string> Ended { get; }

    /// <summary>How processes are started for a server.</summary>
    /// <param name="address">Where the server is.</param>
    /// <param name="passes">Lets them in; null where the server asks for no token.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Takes what they write.</param>
    public static StartProcess StartFor(string address, IWorkerPasses? passes, TimeProvider time, ILogger log) =>
        (name, options) => new WorkerProcess(name, options, address, passes, time, log);

    public void Terminate() => _terminate.Cancel();

    public void Kill() => _kill.Cancel();

    public void Dispose()
    {
        _terminate.Dispose();
        _kill.Dispose();
    }

    private async Task<string> FollowAsync(ChildProcess child, Func<Stream, CancellationToken, Task> read, IWorkerPasses? passes)
    {
        try
        {
            using (child)
            {
                Task pipes = child.ReadAllAsync(read);
                ExitStatus exit = await child.EndAsync(_terminate.Token).ConfigureAwait(false);
                await child.CloseAsync(pipes).ConfigureAwait(false);
                return exit.ToString();
            }
        }
#pragma warning disable CA1031 // Whatever it is, the process has ended, and its seat is to know.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            return fault.Message;
        }
        finally
        {
            passes?.Revoke(Name);
        }
    }
}
