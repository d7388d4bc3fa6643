namespace GrpcPool.Core.Handlers.Processes;

/// <summary>How a process ended: by an exit code or by a signal; by neither where that is not known.</summary>
internal readonly record struct ExitStatus(int? Code, int? Signal)
{
    public static ExitStatus Unknown => default;

    public override string ToString() => this switch
    {
        { Code: { } code } => $"exit code {code}",
        { Signal: { } signal } => $"ended by signal {signal}",
        _ => "its end was not seen",
    };
}
