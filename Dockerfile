# syntax=docker/dockerfile:1
# Built in two stages: wheels first, then a small image that holds nothing but Python and the installed monitor.

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE constraints.txt ./
COPY monitor ./monitor
COPY config ./config
COPY storage/queries ./storage/queries
RUN python -m venv /opt/monitor \
    && /opt/monitor/bin/pip install --no-cache-dir --upgrade pip \
    && /opt/monitor/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.12-slim
LABEL org.opencontainers.image.title="japan-tech-monitor" \
      org.opencontainers.image.description="News monitor for UK-Japan and US-Japan technology cooperation" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 monitor \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin monitor \
    && mkdir -p /app/config /app/storage \
    && chown 10001:10001 /app/storage
COPY --from=build /opt/monitor /opt/monitor
COPY --chown=root:root config /app/config
WORKDIR /app
ENV PATH=/opt/monitor/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MONITOR_CONFIG=/app/config \
    MONITOR_DB=/app/storage/monitor.db
USER 10001:10001
VOLUME /app/storage
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=120s CMD ["monitor", "status", "--healthcheck"]
# Exec form: the monitor is process 1 and gets SIGTERM itself.
ENTRYPOINT ["monitor"]
CMD ["run"]
