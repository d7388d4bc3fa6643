using GrpcPool.Core.Hosting;
using static GrpcPool.Core.Tests.Hosting.SettingsReader;

namespace GrpcPool.Core.Tests.Hosting;

public sealed class CommandSettingsTests
{
    private static readonly string Program = Environment.ProcessPath!;

    [Fact]
    public void A_command_is_read_with_its_arguments_and_environment()
    {
        CommandOptions command = ReadKeys(
            ("Handlers:convert:Type", "Command"), ("Handlers:convert:Command", Program), ("Handlers:convert:Arguments:0", "-n"),
            ("Handlers:convert:Arguments:1", ""), ("Handlers:convert:Environment:Lang", "C"), ("Handlers:convert:RunTimeout", "00:01:00")).Commands["convert"];

        Assert.Equal((Program, TimeSpan.FromMinutes(1), (int?)null), (command.Command, command.RunTimeout, command.OutputBytesMax));
        Assert.Equal(["-n", ""], command.Arguments);
        Assert.Equal(new Dictionary<string, string> { ["Lang"] = "C" }, command.Environment);
    }

    [Theory]
    [InlineData("Arguments", "[]")]
    [InlineData("Environment", "{}")]
    [InlineData("WorkingDirectory", "null")]
    public void Nothing_is_given_as_an_empty_list_section_or_value(string key, string nothing) =>
        Assert.Single(ReadJson($$"""{ "Handlers": { "convert": { "Type": "command", "Command": "{{Program}}", "{{key}}": {{nothing}} } } }""").Commands);

    [Theory]
    [InlineData("\"Arguments\": \"-n\"", "Handlers:convert:Arguments is \"-n\"; give a list of texts.")]
    [InlineData("\"Arguments\": { \"a\": \"-n\" }", "Handlers:convert:Arguments is a section; give a list of texts.")]
    [InlineData("\"Environment\": \"A=1\"", "Handlers:convert:Environment is a text; give a section of names with texts.")]
    [InlineData("\"Environment\": { \"A=1\": \"\" }", "Handlers:convert:Environment:A=1 is no variable; ")]
    [InlineData("\"WorkingDirectory\": \"tmp\"", "Handlers:convert:WorkingDirectory is \"tmp\"; give the absolute path of a directory that exists")]
    [InlineData("\"WorkingDirectory\": \"/no/such\"", "Handlers:convert:WorkingDirectory is \"/no/such\"; give the absolute path of a directory that exists")]
    [InlineData("\"OutputBytesMax\": 2000000", "Handlers:convert:OutputBytesMax is \"2000000\", more than Limits:ResultBytesMax (1048576);")]
    public void A_wrong_part_of_a_command_is_refused(string part, string start) => Assert.StartsWith(
        start, Assert.Single(RefuseJson($$"""{ "Handlers": { "convert": { "Type": "command", "Command": "{{Program}}", {{part}} } } }""")));

    [Theory]
    [InlineData("sh")]
    [InlineData("/no/such/program")]
    [InlineData("/")]
    [InlineData("/etc/passwd")]
    [InlineData("")]
    public void A_command_is_the_absolute_path_of_an_executable_file(string command) => Assert.EndsWith(
        "; give the absolute path of an executable file.", Assert.Single(Refuse(("Handlers:convert:Type", "command"), ("Handlers:convert:Command", command))));

    [Theory]
    [InlineData("ftp", "\"ftp\"")]
    [InlineData("", "empty")]
    public void A_type_of_handler_that_does_not_exist_is_refused_alone(string type, string shown) => Assert.Equal(
        [$"Handlers:notify:Type is {shown}; give \"command\" or \"http\"."],
        Refuse(("Handlers:notify:Type", type), ("Handlers:notify:Url", "http://localhost")));

    [Fact]
    public void A_command_cannot_have_the_name_of_a_built_in_kind()
    {
        (string, string?)[] echo = [("Handlers:echo:Type", "command"), ("Handlers:echo:Command", Program)];
        Assert.StartsWith($"Handlers:echo has more than one handler: the built-in one (unless BuiltInKinds is false) and the command {Program};", Assert.Single(Refuse(echo)));
        Assert.Single(ReadKeys([.. echo, ("BuiltInKinds", "false")]).Commands);
    }
}
