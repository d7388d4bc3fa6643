using System.Net;
using GrpcPool.Core.Handlers;
using GrpcPool.Core.Handlers.Http;
using GrpcPool.Core.Handlers.Processes;
using GrpcPool.Core.Hosting;
using GrpcPool.Core.Hosting.Settings;
using GrpcPool.Core.Schedules;
using GrpcPool.Core.Tasks;
using GrpcPool.Core.Tests.Handlers;
using GrpcPool.Core.Tests.Hosting;
using GrpcPool.Core.Workers;
using GrpcPool.Core.Workers.Processes;
using GrpcPool.Testing;
using GrpcPool.Testing.Fuzzing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace GrpcPool.Core.Tests.Fuzzing;

/// <summary>What others write – programs, applications, operators, submitters – is read, or refused as documented, whatever it is.</summary>
public sealed class TextTests
{
    [Fact]
    public void Standard_error_is_the_same_however_it_comes_in() => Fuzz.Bytes("standard-error", static bytes =>
    {
        using FakeTaskContext whole = Read(bytes, bytes.Length + 1), parts = Read(bytes, 3);
        Assert.Equal(whole.Reports, parts.Reports);
        Assert.Equal(whole.Logged, parts.Logged);
        Assert.InRange(whole.Logged.Length, 0, bytes.Length);
        Assert.All(whole.Reports, static report => Assert.True(double.IsFinite(report.Fraction) && !report.Message.Contains('\n', StringComparison.Ordinal)));
    });

    [Fact]
    public void What_a_worker_writes_makes_no_line_that_steers_a_terminal() => Fuzz.Bytes("standard-error", static bytes =>
    {
        using var stream = new MemoryStream(bytes);
        Assert.True(new ProcessOutput("p", TimeProvider.System, NullLogger.Instance).ReadAsync(stream, CancellationToken.None).IsCompletedSuccessfully);
    });

    [Fact]
    public void A_payload_of_a_built_in_kind_is_taken_or_named_as_invalid() => Fuzz.Texts("payloads", static text =>
    {
        using var context = new FakeTaskContext(text);
        TaskOutcome failed = Fuzz.Now(new FailHandler().RunAsync(context, CancellationToken.None).AsTask());
        Assert.True(failed.Failure is null or { Code: FailureCode.InvalidPayload, Retryable: false } or { Code: FailureCode.HandlerError });
        using var stop = new CancellationTokenSource();
        Task<TaskOutcome> slept = new SleepHandler(new FakeTimeProvider()).RunAsync(context, stop.Token).AsTask();
        stop.Cancel();
        try
        {
            Assert.True(Fuzz.Now(slept).Failure is null or { Code: FailureCode.InvalidPayload });
        }
        catch (OperationCanceledException)
        {
            // It sleeps.
        }
    }, mutations: 2_000);

    [Fact]
    public void A_cron_expression_that_is_one_has_times_that_go_forwards() => Fuzz.Texts("cron", static text =>
    {
        if (!CronTimes.IsExpression(text))
            return;
        DateTimeOffset? at = Given.Now;
        for (int i = 0; i < 3 && at is { } before; i++)
            Assert.True((at = CronTimes.Of(new Timetable.Cron(text, "Europe/Berlin")).After(before)) is null || at > before);
    }, mutations: 2_000);

    [Fact]
    public void The_name_of_a_zone_is_one_or_none() => Fuzz.Texts("zones", static text => Assert.True(!CronTimes.IsZone(text) || text.Length > 0));

    [Fact]
    public void A_value_of_the_settings_that_is_shown_is_read_as_the_same() => Fuzz.Texts("values", static text =>
    {
        Same(text, ValueRules.Flag);
        Same(text, ValueRules.Time);
        Same(text, ValueRules.Whole(int.MinValue, int.MaxValue));
        Same(text, ValueRules.Real(double.MinValue, double.MaxValue));
        Same(text, ValueRules.Span(TimeSpan.MinValue, TimeSpan.MaxValue));
        Same(text, ValueRules.Optional(ValueRules.Whole(0, 10)));
        Same(text, ValueRules.OneOf<FullPolicy>());
        Assert.True(!WebhookSecret.IsValid(text) || WebhookSecret.Read(text).Length is >= 24 and <= 64);
        Assert.True(!PoolName.IsValid(text) || text.Length is > 0 and <= 64);
    });

    [Fact]
    public void Settings_are_read_or_refused_with_their_violations() => Fuzz.Bytes("settings", static bytes =>
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, bytes);
            GrpcPoolOptions read = SettingsReader.Read(SettingsSources.Read(file, Path.GetTempPath(), SettingsReader.Variables(), []));
            string shown = SettingsText.ToJson(PoolSettings.Table, read);
            Assert.True(shown.Contains(SettingsText.Mask, StringComparison.Ordinal) || shown == SettingsText.ToJson(PoolSettings.Table, SettingsReader.ReadJson(shown)));
        }
        catch (SettingsException refusal)
        {
            Assert.InRange(refusal.Message.Length, 1, 100_000);
        }
        finally
        {
            File.Delete(file);
        }
    }, mutations: 2_000);

    [Fact]
    public void What_an_application_answers_makes_an_outcome() => Fuzz.Texts("answers", static text =>
    {
        foreach (HttpStatusCode status in (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable])
        {
            using var response = new HttpResponseMessage(status) { Content = new StringContent(text) };
            response.Headers.TryAddWithoutValidation("Retry-After", text);
            response.Content.Headers.Remove("Content-Type");
            response.Content.Headers.TryAddWithoutValidation("Content-Type", text);
            TaskOutcome outcome = Fuzz.Now(new HttpAnswer("http://127.0.0.1", 1 << 20, TimeProvider.System).OutcomeAsync(response, CancellationToken.None));
            Assert.Equal(status == HttpStatusCode.OK, outcome.Failure is null);
            Assert.False(outcome.ContentType.AsSpan().ContainsAnyExceptInRange(' ', '~'));
        }
    });

    [Fact]
    public void What_a_submitter_chooses_makes_headers_that_stay_on_their_line() => Fuzz.Texts("labels", static text =>
    {
        string[] pair = [.. text.Split('=', 2), ""];
        using var context = new FakeTaskContext { MediaType = pair[1], OwnLabels = new() { [pair[0]] = pair[1] }, OwnHeaders = new() { [pair[0]] = pair[1] } };
        var signature = new WebhookSignature(new byte[24]);
        using HttpRequestMessage request = new HttpTaskRequest(new Uri("http://127.0.0.1/"), signature, TimeProvider.System).Of(context);
        Assert.All(request.Headers.NonValidated, static header => Assert.False(header.Value.ToString().AsSpan().ContainsAnyExceptInRange(' ', '~')));
        Assert.Null(request.Headers.Host);
    });

    [Fact]
    public void The_token_of_a_lease_is_its_bytes() => Fuzz.Bytes([new LeaseToken(1, -1).ToBytes(), []], static bytes =>
        Assert.True(LeaseToken.Read(bytes) is not { } token || token.ToBytes().AsSpan().SequenceEqual(bytes)));

    private static FakeTaskContext Read(byte[] bytes, int together)
    {
        var context = new FakeTaskContext();
        using var stream = new Parts(bytes, together);
        Assert.True(new StandardError(context).ReadAsync(stream, CancellationToken.None).IsCompletedSuccessfully);
        return context;
    }

    private static void Same<T>(string text, ValueRule<T> rule)
    {
        if (!rule.TryRead(text, out T value) || !rule.Allows(value))
            return;
        Assert.True(rule.TryRead(rule.Format(value) ?? "", out T again));
        Assert.Equal(value, again);
    }

    private sealed class Parts(byte[] bytes, int together) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span[..Math.Min(together, buffer.Length)]));
    }
}
