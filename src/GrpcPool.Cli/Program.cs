using GrpcPool.Cli;

return await CommandLine.RunAsync(args).ConfigureAwait(false);
