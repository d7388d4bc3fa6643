using System.Text;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Hosting;

namespace GrpcPool.Core.Tests.Handlers;

/// <summary>Makes handlers of commands for the tests.</summary>
internal static class Commands
{
    public const int ResultBytesMax = 1 << 20;

    public static CommandHandler Of(string program, params string[] arguments) => Of(_ => { }, program, arguments);

    public static CommandHandler Of(Action<CommandOptions> configure, string program, params string[] arguments)
    {
        var options = new CommandOptions { Command = program };
        options.Arguments.AddRange(arguments);
        configure(options);
        return new CommandHandler(options, ResultBytesMax, TimeProvider.System);
    }

    public static CommandHandler Shell(string script) => Of("/bin/sh", "-c", script);

    public static CommandHandler Python(string script) => Of("/usr/bin/python3", "-c", script);

    public static string Text(this TaskOutcome outcome) => Encoding.UTF8.GetString(outcome.Result.Span);

    public static Task<TaskOutcome> RunAsync(this CommandHandler handler, FakeTaskContext context) => handler.RunAsync(context, context.Stopping).AsTask();

    public static async Task<TaskOutcome> RunAsync(this CommandHandler handler, string payload = "")
    {
        using var context = new FakeTaskContext(payload);
        return await handler.RunAsync(context);
    }
}
