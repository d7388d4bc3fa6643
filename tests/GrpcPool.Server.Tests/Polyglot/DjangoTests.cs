using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using GrpcPool.V1;

namespace GrpcPool.Server.Tests.Polyglot;

/// <summary>The Django site, run by its documented command and used as a browser does.</summary>
public sealed partial class DjangoTests
{
    private const int TimeoutMs = 300_000;
    private const string Folder = "django";

    [Fact(Timeout = TimeoutMs)]
    public async Task A_view_answers_at_once_and_the_page_follows_the_task_to_its_result()
    {
        using PolyglotServer server = await StartServerAsync();
        using var site = Site.Start(server);
        string page = await site.OrderAsync(40);
        TaskInfo task = await server.GetAsync(IdOf(page));
        Assert.False(task.State is TaskState.Succeeded or TaskState.Failed, "The answer has waited for the task.");
        Assert.Equal(HttpStatusCode.NotFound, (await site.Browser.GetAsync($"{page}result", Stop)).StatusCode);

        List<JsonElement> events = await site.FollowAsync(page);
        Assert.Contains(events, static e => e.GetProperty("state").GetString() == "running" && e.GetProperty("fraction").GetDouble() is > 0 and < 1);
        Assert.Equal(("succeeded", true), (events[^1].GetProperty("state").GetString(), events[^1].GetProperty("ended").GetBoolean()));
        string[] rows = (await site.Browser.GetStringAsync($"{page}result", Stop)).Split('\n');
        Assert.Equal((41, "number,square", "40,1600"), (rows.Length, rows[0], rows[^1]));
        Assert.Contains("succeeded", await site.Browser.GetStringAsync(page, Stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_visitor_cancels()
    {
        using PolyglotServer server = await StartServerAsync();
        using var site = Site.Start(server);
        string page = await site.OrderAsync(1000);
        await server.UntilAsync(IdOf(page), static task => task.Progress is not null);
        await site.PostAsync($"{page}cancel", page, []);
        Assert.Equal("cancelled", (await site.FollowAsync(page))[^1].GetProperty("state").GetString());
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string IdOf(string page) => page.Split('/', StringSplitOptions.RemoveEmptyEntries)[^1];

    private static async Task<PolyglotServer> StartServerAsync()
    {
        await Language.RequireAsync("python");
        Tools.Require(Path.Exists("/usr/lib/python3/dist-packages/django"), "Django (python3-django)");
        return await PolyglotServer.StartAsync("UndeclaredKinds=Queue");
    }

    /// <summary>The site and its worker, and a browser that keeps cookies.</summary>
    private sealed partial class Site : IDisposable
    {
        private readonly Script _run;

        private Site(Script run, int port)
        {
            _run = run;
            Browser = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        }

        public HttpClient Browser { get; }

        public static Site Start(PolyglotServer server)
        {
            using var free = new TcpListener(IPAddress.Loopback, 0);
            free.Start();
            int port = ((IPEndPoint)free.LocalEndpoint).Port;
            return new Site(Script.Start(Folder, "./run", [], server.Environment, ("PORT", $"{port}")), port);
        }

        /// <summary>Fills in the form, and returns the path of the page that it leads to.</summary>
        public async Task<string> OrderAsync(int rows)
        {
            await _run.WhileItRunsAsync(ListeningAsync());
            using HttpResponseMessage answer = await PostAsync("/", "/", new() { ["rows"] = $"{rows}" });
            return answer.RequestMessage!.RequestUri!.AbsolutePath;
        }

        /// <summary>Sends a form as the page has it, with what the visitor changed.</summary>
        public async Task<HttpResponseMessage> PostAsync(string path, string page, Dictionary<string, string> changed)
        {
            foreach (Match field in HiddenFields().Matches(await Browser.GetStringAsync(page, Stop)))
                changed.TryAdd(field.Groups[1].Value, field.Groups[2].Value);
            using var form = new FormUrlEncodedContent(changed);
            HttpResponseMessage answer = await Browser.PostAsync(path, form, Stop);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Stop));
            return answer;
        }

        /// <summary>The server-sent events of a page, to their end.</summary>
        public async Task<List<JsonElement>> FollowAsync(string page) =>
            [.. (await Browser.GetStringAsync($"{page}events", Stop)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
                .Select(static line => JsonSerializer.Deserialize<JsonElement>(line["data: ".Length..]))];

        public void Dispose()
        {
            Browser.Dispose();
            _run.Dispose();
        }

        private async Task<bool> ListeningAsync()
        {
            while (true)
            {
                try
                {
                    return (await Browser.GetAsync("/", Stop)).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Stop);
                }
            }
        }

        [GeneratedRegex("""<input type="hidden" name="(\w+)" value="([^"]*)""")]
        private static partial Regex HiddenFields();
    }
}
