using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using static GrpcPool.Core.Tests.Hosting.SettingsReader;

namespace GrpcPool.Core.Tests.Hosting;

public sealed class HttpHandlerSettingsTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string OtherSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    private static readonly (string, string?)[] Notify =
        [("Handlers:notify:Type", "http"), ("Handlers:notify:Url", "http://127.0.0.1:8000/tasks/notify"), ("Handlers:notify:Secret", Secret)];

    [Fact]
    public void A_web_application_is_read_with_its_address_and_secrets()
    {
        HttpHandlerOptions http = ReadKeys(Notify).HttpHandlers["notify"];
        Assert.Equal(("http://127.0.0.1:8000/tasks/notify", Secret, null, TimeSpan.FromMinutes(5)), (http.Url, http.Secret, http.PreviousSecret, http.RunTimeout));

        http = ReadKeys([.. Notify, ("Handlers:notify:PreviousSecret", OtherSecret), ("Handlers:notify:RunTimeout", "01:00:00")]).HttpHandlers["notify"];
        Assert.Equal((OtherSecret, TimeSpan.FromHours(1)), (http.PreviousSecret, http.RunTimeout));
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:8000")]
    [InlineData("/tasks")]
    [InlineData("ftp://host/tasks")]
    [InlineData("file:///tasks")]
    [InlineData("http://")]
    [InlineData("http://user:password@host/")]
    [InlineData("http://host/tasks#part")]
    [InlineData("http://host/#")]
    public void An_address_is_absolute_without_user_and_fragment(string url) => Assert.EndsWith(
        "; give an absolute http or https address without user and fragment.", Assert.Single(Refuse([Notify[0], Notify[2], ("Handlers:notify:Url", url)])));

    [Fact]
    public void All_that_is_wrong_is_told_at_once_and_no_secret_with_it()
    {
        string[] lines = Refuse(
            ("Handlers:notify:Type", "http"), ("Handlers:notify:Secret", "tell-nobody"), ("Handlers:notify:PreviousSecret", "tell-nobody"),
            ("Handlers:notify:RunTimeout", ""), ("Handlers:notify:Cookie", "x"));
        Assert.Equal(["Cookie", "PreviousSecret", "RunTimeout", "Secret", "Url"], lines.Select(line => line.Split(' ')[0].Split(':')[2]));
        Assert.Contains("Handlers:notify:Secret is \"***\"; give \"whsec_\" and the base64 of 24 to 64 bytes.", lines);
        Assert.DoesNotContain("tell-nobody", string.Join('\n', lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_that_is_missing_is_asked_for() => Assert.Equal(
        ["Handlers:notify:Secret is empty; give \"whsec_\" and the base64 of 24 to 64 bytes."], Refuse(Notify[..2]));

    [Fact]
    public void Secrets_are_masked()
    {
        string json = SettingsText.ToJson(PoolSettings.Table, ReadKeys([.. Notify, ("Handlers:notify:PreviousSecret", OtherSecret)]));
        Assert.Contains("\"Secret\": \"***\"", json, StringComparison.Ordinal);
        Assert.Contains("\"PreviousSecret\": \"***\"", json, StringComparison.Ordinal);
        Assert.DoesNotContain("whsec_", json, StringComparison.Ordinal);
        Assert.Contains("\"PreviousSecret\": null", SettingsText.ToJson(PoolSettings.Table, ReadKeys(Notify)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kind_is_run_by_one_handler_whatever_its_type()
    {
        var options = new GrpcPoolOptions
        {
            Commands = { ["notify"] = new() { Command = Environment.ProcessPath! } },
            HttpHandlers = { ["notify"] = new() { Url = "http://host/", Secret = Secret } },
        };
        SettingsException e = Assert.Throws<SettingsException>(() => PoolSettings.Validate(options));
        Assert.Contains($"Handlers:notify has more than one handler: the command {Environment.ProcessPath} and the address http://host/;", e.Message, StringComparison.Ordinal);
    }
}
