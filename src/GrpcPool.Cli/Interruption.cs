using System.Runtime.InteropServices;

namespace GrpcPool.Cli;

/// <summary>Turns the signals that would end the process into a token, so that nothing is left behind.</summary>
internal sealed class Interruption : IDisposable
{
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly bool _onlyFirst;

    /// <param name="onlyFirst">Whether a second signal ends the process as usual.</param>
    public Interruption(bool onlyFirst = false)
    {
        _onlyFirst = onlyFirst;
        _registrations = [.. Signals.Select(signal => PosixSignalRegistration.Create(signal, Interrupt))];
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Interrupt(PosixSignalContext context)
    {
        context.Cancel = !(_onlyFirst && _source.IsCancellationRequested);
        _source.Cancel();
    }
}
