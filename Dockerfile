# The core image: `eas worker`, all task types of the core, only the libraries that it runs with.
#   docker build -t eas:0.1.0 .                       docker build --target dev -t eas-dev:0.1.0 .   (to build packs with)
# One image serves every container of the core's registry: EAS_CONTAINER says which one a worker is. docs/containers.md.
ARG DEBIAN=debian:bookworm-slim

FROM ${DEBIAN} AS build
WORKDIR /src
COPY cmake/packages.sh cmake/packages.sh
RUN bash -c '. cmake/packages.sh && packages_install "${packages_build[@]}" dpkg-dev file'
COPY . .
RUN cmake --preset package && cmake --build --preset package && cpack --preset package

FROM ${DEBIAN} AS core
RUN useradd --system --user-group --uid 10001 --home-dir /var/lib/eas --no-create-home --shell /usr/sbin/nologin eas \
 && install -d -o eas -g eas /var/cache/eas
COPY --from=build /src/build/package/packages/eas_*.deb /tmp/packages/
RUN apt-get update && apt-get install -y --no-install-recommends /tmp/packages/eas_*.deb \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log /tmp/packages
COPY packaging/container/healthcheck packaging/container/sbom /usr/libexec/eas/
RUN /usr/libexec/eas/sbom >/usr/share/doc/eas/sbom.cdx.json

FROM core AS dev
COPY --from=build /src/build/package/packages/eas-dev_*.deb /tmp/packages/
RUN apt-get update && apt-get install -y --no-install-recommends /tmp/packages/eas-dev_*.deb \
 && rm -rf /var/lib/apt/lists/* /tmp/packages

FROM core
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="eas" \
      org.opencontainers.image.description="EAS engine: worker, control and web for science pipelines over many light curves" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="debian:bookworm-slim"
ENV EAS_DATA=/var/lib/eas EAS_SCRATCH=/var/cache/eas EAS_METRICS=:9100 EAS_LOG_FORMAT=logfmt
WORKDIR /var/lib/eas
VOLUME /var/lib/eas /var/cache/eas
USER 10001:10001
EXPOSE 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/usr/libexec/eas/healthcheck"]
ENTRYPOINT ["eas", "worker"]
