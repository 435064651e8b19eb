# One process tree: `bitlens serve` starts the web process, the worker and, for each job, a child.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY templates templates
COPY static static
# The CPU build of torch is a fraction of the default one; point PIP_INDEX_URL or PIP_FIND_LINKS at a source that has it.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
RUN python -m venv /opt/bitlens && /opt/bitlens/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.12-slim-bookworm
# The first process of a container inherits what a killed worker leaves behind: tini ends and collects it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin bitlens \
    && install -d -o bitlens -g bitlens -m 0700 /data
COPY --from=build /opt/bitlens /opt/bitlens
ENV PATH=/opt/bitlens/bin:$PATH BITLENS_DATA_DIR=/data PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=4); \
c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["tini", "-s", "--"]
CMD ["bitlens", "serve", "--host", "0.0.0.0", "--port", "8000"]
