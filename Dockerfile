# The server in a container, for a host that starts it over stdio:
#
#   docker build -t traintime . && docker run -i --rm traintime
#
# and for many callers over HTTP, with a token of theirs in a file:
#
#   docker build -t traintime:http --target http .
#   docker run --user "$(id -u)" -p 127.0.0.1:8000:8000 -v "$PWD/token:/run/secrets/token:ro" traintime:http
#
# The digest is that of the multi-platform index.
FROM python:3.13-slim@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6 AS base
LABEL io.modelcontextprotocol.server.name="io.github.traintime/traintime" \
      org.opencontainers.image.source="https://github.com/traintime/traintime" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /opt/traintime
COPY requirements.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
COPY LICENSE ./
COPY traintime ./traintime
COPY server ./server
COPY tools ./tools
COPY estimator ./estimator
COPY skills ./skills
# Compiled here: the user may not write.
RUN python -m compileall -q . && useradd --system --no-create-home --uid 10001 traintime
USER 10001
ENTRYPOINT ["python", "-m", "traintime"]

FROM base AS http
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# Any port of the machine may be published as the container's.
CMD ["serve", "--http", "--host", "0.0.0.0", "--port", "8000", "--allowed-hosts", "localhost:*,127.0.0.1:*", \
     "--token-file", "/run/secrets/token"]

FROM base AS stdio
CMD ["serve"]
