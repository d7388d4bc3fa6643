using System.CommandLine;
using GrpcPool.Chaos.Scenarios;

var scenario = new Argument<string>("scenario") { Description = "kill, lost-writes, failed-sync, unsynced, poison, backlog or schedules" }.AcceptOnlyFromAmong(
    "kill", "lost-writes", "failed-sync", "unsynced", "poison", "backlog", "schedules");
var runs = new Option<int>("--runs") { Description = "How many runs, each with the next seed.", DefaultValueFactory = static _ => 10 };
var seed = new Option<int>("--seed") { Description = "The seed of the first run.", DefaultValueFactory = static _ => 1 };
var root = new RootCommand("Crashes a real server under load and compares what is left with what it has promised.") { scenario, runs, seed };
root.SetAction((given, stop) => Campaign.RunAsync(given.GetRequiredValue(scenario), given.GetValue(seed), given.GetValue(runs), stop));
return await root.Parse(args).InvokeAsync();
