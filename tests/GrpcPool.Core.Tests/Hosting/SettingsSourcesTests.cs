using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using Microsoft.Extensions.Configuration;
using static GrpcPool.Core.Tests.Hosting.SettingsReader;

namespace GrpcPool.Core.Tests.Hosting;

public sealed class SettingsSourcesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("grpcpool-settings-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Later_sources_win()
    {
        Save(SettingsSources.DefaultFile, """{ "Pool": { "Slots": 1, "Capacity": 1, "FinishedMax": 1 } }""");
        PoolOptions pool = Read(SettingsSources.Read(
            null,
            _directory,
            Variables(("GRPCPOOL__POOL__CAPACITY", "2"), ("GRPCPOOL__POOL__FINISHEDMAX", "2")),
            [KeyValuePair.Create("Pool:FinishedMax", (string?)"3")])).Pool;

        Assert.Equal((1, 2, 3), (pool.Slots, pool.Capacity, pool.FinishedMax));
    }

    [Fact]
    public void A_variable_may_name_a_file_that_has_the_value()
    {
        Save("secret", "3\n");
        string path = Path.Combine(_directory, "secret");
        Assert.Equal(3, Read(SettingsSources.Read(null, _directory, Variables(("GRPCPOOL__POOL__SLOTS__FILE", path)), [])).Pool.Slots);
        Assert.Contains("GRPCPOOL__POOL__SLOTS__FILE must name a file", Assert.Throws<SettingsException>(() => FromVariables(("GRPCPOOL__POOL__SLOTS__FILE", "/no/such/file"))).Message);
        Assert.Contains(
            "are both given", Assert.Throws<SettingsException>(() => FromVariables(("GRPCPOOL__POOL__SLOTS__FILE", path), ("GRPCPOOL__POOL__SLOTS", "3"))).Message);
        Assert.Equal("x", FromVariables(("GRPCPOOL__HANDLERS__MAKE__ENVIRONMENT__FILE", "x"))["handlers:make:environment:FILE"]);

        IConfiguration FromVariables(params (string, string)[] variables) => SettingsSources.Read(null, _directory, Variables(variables), []);
    }

    [Fact]
    public void A_file_that_is_named_replaces_the_default_one()
    {
        Save(SettingsSources.DefaultFile, """{ "Pool": { "Slots": 1 } }""");
        Save("other.json", """
            {
              // Comments and trailing commas are welcome.
              "Pool": { "Capacity": 2, },
            }
            """);

        PoolOptions pool = Read(FromFile("other.json")).Pool;
        Assert.Equal((new PoolOptions().Slots, 2), (pool.Slots, pool.Capacity));
    }

    [Fact]
    public void The_default_file_may_be_missing() => Read(SettingsSources.Read(null, _directory, Variables(), []));

    [Fact]
    public void A_file_that_is_named_must_be_there() =>
        Assert.Contains("none.json", Assert.Throws<SettingsException>(() => FromFile("none.json")).Message);

    [Fact]
    public void Invalid_json_is_refused_with_its_line()
    {
        Save("bad.json", "{\n  \"Pool\": { \"Slots\": 8 }\n  \"Queues\": {}\n}");
        Assert.Contains("bad.json, line 3, is no valid JSON: ", Assert.Throws<SettingsException>(() => FromFile("bad.json")).Message);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{ "Pool": { "Slots": 1, "slots": 2 } }""")]
    public void Json_that_is_no_object_or_has_a_key_twice_is_refused(string json)
    {
        Save("odd.json", json);
        Assert.Contains("odd.json cannot be used: ", Assert.Throws<SettingsException>(() => FromFile("odd.json")).Message);
    }

    [Fact]
    public void Names_of_queues_and_kinds_from_the_environment_become_lower_case()
    {
        GrpcPoolOptions options = ReadEnvironment(("GRPCPOOL__QUEUES__DEFAULT__CAPACITY", "5"), ("GRPCPOOL__QUEUES__Mail__WEIGHT", "2"));
        Assert.Equal(["default", "mail"], options.Queues.Keys.Order());
        Assert.Equal(5, options.Queues["default"].Capacity);
    }

    [Fact]
    public void Names_of_a_commands_variables_keep_their_case() => Assert.Equal(["Lang", "PATH"], ReadEnvironment(
        ("GRPCPOOL__HANDLERS__CONVERT__TYPE", "command"), ("GRPCPOOL__HANDLERS__CONVERT__COMMAND", Environment.ProcessPath!),
        ("GRPCPOOL__HANDLERS__CONVERT__ENVIRONMENT__PATH", "/bin"), ("GRPCPOOL__HANDLERS__CONVERT__ENVIRONMENT__Lang", "C"))
        .Commands["convert"].Environment.Keys.Order());

    [Fact]
    public void Variables_without_the_prefix_are_no_settings() =>
        ReadEnvironment(("GRPCPOOL_SERVICE_HOST", "10.0.0.1"), ("GRPCPOOL_ADDRESS", "http://localhost:1"));

    [Fact]
    public void An_unknown_variable_with_the_prefix_is_refused() =>
        Assert.Contains(
            "Pool:slotz is no setting; did you mean Pool:Slots?",
            Assert.Throws<SettingsException>(() => ReadEnvironment(("GRPCPOOL__POOL__SLOTZ", "8"))).Message);

    private IConfiguration FromFile(string name) => SettingsSources.Read(name, _directory, Variables(), []);

    private void Save(string name, string json) => File.WriteAllText(Path.Combine(_directory, name), json);
}
