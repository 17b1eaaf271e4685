# Built in two stages: first a virtual environment, then a small image that holds nothing but Python and it.

FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/monitor
# EXTRAS=channels, in the environment or in .env, for channels of kind apprise (see compose.yaml).
ARG EXTRAS=""
# What changes seldom comes first: the libraries are installed once for many versions of the monitor.
COPY constraints.txt pyproject.toml ./
RUN python -c "import sys, tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*p['dependencies'], *(d for e in sys.argv[1].split(',') if e for d in p['optional-dependencies'][e]), sep='\n')" \
        "$EXTRAS" > requirements.txt \
    && /opt/monitor/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt -r requirements.txt
COPY setup.py MANIFEST.in README.md LICENSE ./
COPY monitor ./monitor
COPY config ./config
COPY storage/queries ./storage/queries
RUN /opt/monitor/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps . \
    && /opt/monitor/bin/python -m compileall -q /opt/monitor/lib \
    && /opt/monitor/bin/monitor --version

FROM python:3.12-slim
LABEL org.opencontainers.image.title="japan-tech-monitor" \
      org.opencontainers.image.description="News monitor for UK-Japan and US-Japan technology cooperation" \
      org.opencontainers.image.source="https://github.com/japan-tech-monitor/japan-tech-monitor" \
      org.opencontainers.image.licenses="MIT"
# Python's own library comes without byte code, and a read-only root never gets any: every health check would
# compile it again. (A few of its files are wrong on purpose.)
RUN python -m compileall -q "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" || true
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
    MONITOR_OUTPUT=log \
    MONITOR_CONFIG=/app/config \
    MONITOR_DB=/app/storage/monitor.db
USER 10001:10001
# What is wrong with the configuration, or too old in the image, fails the build and not the first night. Secrets
# come when it runs.
RUN monitor check --no-secrets \
    && python -c "import pyexpat, sqlite3; assert pyexpat.version_info >= (2, 4, 1) and sqlite3.sqlite_version_info >= (3, 37)"
VOLUME /app/storage
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=20s --start-period=120s --retries=3 CMD ["monitor", "status", "--healthcheck"]
# Exec form: the monitor is process 1 and gets SIGTERM itself.
ENTRYPOINT ["monitor"]
CMD ["run"]
