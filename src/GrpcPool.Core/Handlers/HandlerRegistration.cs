using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Handlers;

/// <summary>A handler that the host brings.</summary>
/// <param name="Kind">What it runs.</param>
/// <param name="Name">What it is called in messages.</param>
/// <param name="Options">What was set for it.</param>
/// <param name="Create">Makes it, out of the host's services.</param>
internal sealed record HandlerRegistration(string Kind, string Name, HandlerOptions Options, Func<IServiceProvider, ITaskHandler> Create);
