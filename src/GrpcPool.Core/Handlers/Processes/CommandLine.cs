namespace GrpcPool.Core.Handlers.Processes;

/// <summary>What to start.</summary>
/// <param name="Program">An absolute path.</param>
/// <param name="Arguments">Handed over as they are, after the program's own path.</param>
/// <param name="Environment">The whole environment, as <c>NAME=value</c>.</param>
/// <param name="WorkingDirectory">An absolute path.</param>
internal sealed record CommandLine(string Program, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment, string WorkingDirectory);
