namespace GrpcPool.Client.Workers;

/// <summary>A handler of the host's worker.</summary>
/// <param name="Kind">What it runs.</param>
/// <param name="Name">What it is called in messages.</param>
/// <param name="Create">Makes it, out of the host's services.</param>
internal sealed record WorkHandlerRegistration(string Kind, string Name, Func<IServiceProvider, IWorkHandler> Create)
{
    public static IReadOnlyDictionary<string, IWorkHandler> CreateAll(IEnumerable<WorkHandlerRegistration> handlers, IServiceProvider host) =>
        handlers.ToDictionary(static handler => handler.Kind, handler => handler.Create(host), StringComparer.Ordinal);
}
