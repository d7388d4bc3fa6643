# docker build -t grpcpool .                        the server alone: no shell, no package manager
# docker build -t grpcpool:tools --target tools .   the server with a shell and common tools, for handlers that are commands
# Both take --build-arg VERSION=0.1.0 REVISION=$(git rev-parse HEAD) CREATED=$(date -u +%FT%TZ) SOURCE=https://… for their labels.
# What they consist of is listed in /usr/share/doc/grpcpool/sbom.cdx.json (CycloneDX).
#
# It listens for gRPC on loopback only: right for a sidecar, which shares its application's network. See "Container" in README.md.

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble-aot AS build
# The time zones of schedules, which the chiseled image lacks.
RUN apt-get update && export DEBIAN_FRONTEND=noninteractive && apt-get install --yes --no-install-recommends tzdata \
    && { ! apt-cache show tzdata-legacy >/dev/null 2>&1 || apt-get install --yes --no-install-recommends tzdata-legacy; } && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN dotnet publish src/GrpcPool.Cli --configuration Release --use-current-runtime -p:PublishAot=true --output /published \
    && mkdir /data
ARG VERSION=0.1.0
RUN dotnet tool restore && dotnet CycloneDX src/GrpcPool.Cli/GrpcPool.Cli.csproj --recursive --exclude-dev --disable-package-restore \
        --output-format Json --set-name grpcpool --set-version "$VERSION" --output /sbom --filename sbom.cdx.json

FROM mcr.microsoft.com/dotnet/runtime-deps:10.0-noble AS tools
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        bash bzip2 ca-certificates coreutils curl file findutils gawk gzip jq procps sed tar unzip util-linux xz-utils zip zstd \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /published/grpcpool /published/*.so /usr/local/bin/
COPY --from=build --chown=$APP_UID:$APP_UID /data /data
COPY --from=build /sbom /usr/share/doc/grpcpool
ARG VERSION=0.1.0 REVISION= CREATED= SOURCE=
LABEL org.opencontainers.image.title="GrpcPool with tools" \
      org.opencontainers.image.description="A bounded task pool over gRPC, with a shell and common tools for handlers that are commands" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" org.opencontainers.image.source="$SOURCE"
USER $APP_UID
WORKDIR /data
VOLUME /data
ENV GRPCPOOL__STORAGE__PATH=/data/grpcpool.db
EXPOSE 50051 8080 9090
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/usr/local/bin/grpcpool", "health"]
ENTRYPOINT ["/usr/local/bin/grpcpool"]
CMD ["serve"]

# The last stage is the default one.
FROM mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled AS server
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /published/grpcpool /published/*.so /usr/local/bin/
COPY --from=build --chown=$APP_UID:$APP_UID /data /data
COPY --from=build /sbom /usr/share/doc/grpcpool
ARG VERSION=0.1.0 REVISION= CREATED= SOURCE=
LABEL org.opencontainers.image.title="GrpcPool" \
      org.opencontainers.image.description="A bounded task pool over gRPC" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" org.opencontainers.image.source="$SOURCE"
USER $APP_UID
WORKDIR /data
VOLUME /data
ENV GRPCPOOL__STORAGE__PATH=/data/grpcpool.db
EXPOSE 50051 8080 9090
HEALTHCHECK --interval=10s --timeout=6s --start-period=5s CMD ["/usr/local/bin/grpcpool", "health"]
ENTRYPOINT ["/usr/local/bin/grpcpool"]
CMD ["serve"]
