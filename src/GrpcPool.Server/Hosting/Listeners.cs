using System.IO.Pipelines;
using System.Net.Security;
using GrpcPool.Core.Execution;
using GrpcPool.Core.Hosting;
using GrpcPool.Server.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using KestrelListenOptions = Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions;

namespace GrpcPool.Server.Hosting;

/// <summary>Who a listener is for. Each connection bears it, so that no endpoint is reached by a listener that it is not meant for.</summary>
internal enum ListenerKind
{
    Grpc,
    Http,
    Ops,
}

/// <summary>The three listeners, with the limits that keep one caller from harming the others.</summary>
internal sealed class Listeners(ListenOptions listen, GrpcPoolOptions options, TaskPool pool, Certificates certificates, ILogger<Listeners> log)
{
    /// <summary>Probes have their own connections: a flood on the API must not make them fail.</summary>
    private const int OpsConnectionsMax = 100;

    private const int StreamsPerConnectionMax = 1000;

    /// <summary>
    /// How much a connection and a stream of it may send ahead. A connection is told of what has been read in halves of its window: with the transport's own 768 KiB for a stream, one that
    /// waits for room in a queue could take all that is left, and with it every other call of its connection.
    /// </summary>
    private const int ConnectionWindow = 1 << 20, StreamWindow = ConnectionWindow / 4;

    /// <summary>How much of a connection is taken from the kernel before it is read: the transport's own megabyte would be a gigabyte of all connections, and is taken of those that are ended too.</summary>
    public const int ReadAheadMax = 128 << 10;

    private static readonly TimeSpan KeepAlivePingDelay = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan KeepAlivePingTimeout = TimeSpan.FromSeconds(15);

    private readonly ConnectionLimit _apiConnections = new(options.Limits.Connections, pool.Time, log, pool.Closed);
    private readonly ConnectionLimit _opsConnections = new(OpsConnectionsMax, pool.Time, log, pool.Closed);

    public void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBufferSize = ReadAheadMax;
        kestrel.Limits.Http2.MaxStreamsPerConnection = StreamsPerConnectionMax;
        kestrel.Limits.Http2.InitialConnectionWindowSize = ConnectionWindow;
        kestrel.Limits.Http2.InitialStreamWindowSize = StreamWindow;
        kestrel.Limits.Http2.KeepAlivePingDelay = KeepAlivePingDelay;
        kestrel.Limits.Http2.KeepAlivePingTimeout = KeepAlivePingTimeout;
        Listen(kestrel, listen.Grpc, ListenerKind.Grpc, HttpProtocols.Http2, _apiConnections);
        Listen(kestrel, listen.Http, ListenerKind.Http, HttpProtocols.Http1, _apiConnections);
        Listen(kestrel, listen.Ops, ListenerKind.Ops, HttpProtocols.Http1, _opsConnections);
        if (listen.Socket is { } path)
            kestrel.ListenUnixSocket(path, socket =>
            {
                Prepare(socket, ListenerKind.Grpc, HttpProtocols.Http2, _apiConnections);
                socket.Use(Identify);
                socket.Use(ReadFairly);
            });
    }

    /// <summary>Says where the server listens, as soon as it does.</summary>
    public void LogWhenStarted(WebApplication app) => app.Lifetime.ApplicationStarted.Register(() =>
    {
        var bound = new Queue<string>(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? []);
        (string grpc, string http, string ops) = (Bound(bound, listen.Grpc), Bound(bound, listen.Http), Bound(bound, listen.Ops));
        Log.Listening(log, listen.Socket is null ? grpc : listen.Grpc.Length == 0 ? listen.Socket : $"{grpc} and {listen.Socket}", http, ops);
        if (listen.AllowInsecure)
            Log.Insecure(log, grpc, http);
    });

    /// <summary>The address that a listener got, where it asked for any free port.</summary>
    private static string Bound(Queue<string> bound, string asked) => asked.Length == 0 ? "(off)" : bound.TryDequeue(out string? got) ? got : asked;

    private void Listen(KestrelServerOptions kestrel, string url, ListenerKind kind, HttpProtocols protocols, ConnectionLimit limit)
    {
        if (!ListenAddress.TryParse(url, out ListenAddress? address))
            return;
        bool isTls = address.IsTls;
        if (address.Ip is { } ip)
            kestrel.Listen(ip, address.Port, Configure);
        else if (address.IsLocalhost)
            kestrel.ListenLocalhost(address.Port, Configure);
        else
            kestrel.ListenAnyIP(address.Port, Configure);

        void Configure(KestrelListenOptions listener)
        {
            Prepare(listener, kind, isTls ? HttpProtocols.Http1AndHttp2 : protocols, limit);
            if (isTls)
                listener.UseHttps(certificates.ForHandshakes());
            if (isTls || protocols == HttpProtocols.Http2)
                listener.Use(ReadFairly);
        }
    }

    /// <summary>Lets a connection bear who is at its other end.</summary>
    private static ConnectionDelegate Identify(ConnectionDelegate next) => connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>() is { } own && Peer.Of(own.Socket) is { } peer)
            connection.Features.Set(peer);
        return next(connection);
    };

    /// <summary>Has a connection of HTTP/2 read in turns.</summary>
    private ConnectionDelegate ReadFairly(ConnectionDelegate next) => connection =>
    {
        bool isHttp2 = connection.Features.Get<ITlsApplicationProtocolFeature>() is not { } tls || tls.ApplicationProtocol.Span.SequenceEqual(SslApplicationProtocol.Http2.Protocol.Span);
        if (isHttp2 && connection.Features.Get<ConnectionPace>() is { } pace)
            connection.Transport = new Transport(new FairReader(connection.Transport.Input, pace, pool.Time, connection.ConnectionClosed), connection.Transport.Output);
        return next(connection);
    };

    private static void Prepare(KestrelListenOptions listener, ListenerKind kind, HttpProtocols protocols, ConnectionLimit limit)
    {
        listener.Protocols = protocols;
        listener.Use(limit.Wrap);
        listener.Use(next => connection =>
        {
            connection.Features.Set(new Listener(kind));
            return next(connection);
        });
    }

    /// <summary>What a connection is read and written by.</summary>
    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>The listener that a connection came by.</summary>
internal sealed record Listener(ListenerKind Kind);
