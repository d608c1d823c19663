# Newsflow's image: the worker with its models inside; of the network it needs Kafka only.
#   docker build -t newsflow . && docker run --rm -i newsflow enrich - < article.txt
FROM python:3.11-slim-bookworm AS build

# Same sources, same files: the wheel's dates and the order of sets in compiled code depend on the first two.
ENV SOURCE_DATE_EPOCH=1767225600 \
    PYTHONHASHSEED=0 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# The base image's pip installs into the environment from outside: none is left in there.
# Wheels only: a source package would fetch what it is built with, unchecked.
COPY requirements/runtime.txt requirements/
RUN python -m venv --without-pip /opt/newsflow \
 && pip --python /opt/newsflow/bin/python install --progress-bar off --no-compile --no-deps --require-hashes \
      --only-binary :all: -r requirements/runtime.txt

# Newsflow's own wheel is built with the hash-checked setuptools of that list. Others declare it as a dependency, but
# nothing imports it at run time: it goes, and so do tests and the C sources of compiled modules.
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY streams streams
RUN pip --python /opt/newsflow/bin/python wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . \
 && pip --python /opt/newsflow/bin/python install --no-index --no-compile --no-deps /wheels/*.whl \
 && pip --python /opt/newsflow/bin/python uninstall --yes setuptools \
 && find /opt/newsflow/lib -depth -type d -name tests -path '*/site-packages/*' -exec rm -r {} + \
 && find /opt/newsflow/lib -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.cpp' -o -name '*.h' \) -delete

# Compiled here, because the worker's user cannot write there and would compile at every start. Hashes in place of dates
# in the compiled files, and one date for all files: neither depends on when the image is built.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/newsflow/lib \
 && find /opt/newsflow -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +

# What was left out above must not be missed: an image that cannot enrich is not built.
COPY samples/wire.jsonl samples/
RUN /opt/newsflow/bin/newsflow enrich samples/wire.jsonl > /dev/null

FROM python:3.11-slim-bookworm

LABEL org.opencontainers.image.title="newsflow" \
      org.opencontainers.image.description="Raw news articles in, enriched events out: entities and topics on Kafka, exactly once." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm"

COPY --from=build /opt/newsflow /opt/newsflow

# One process is one core's worth of work: more threads in the linear algebra would only get into each other's way.
# The health endpoints must answer from outside of the container. Faust makes an empty directory for tables that we do
# not have; /tmp is the one place that is writable for any user, also with a read-only root.
ENV PATH=/opt/newsflow/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    NEWSFLOW_WEB_HOST=0.0.0.0 \
    APP_DATADIR=/tmp/newsflow-data

# By number, so that Kubernetes' runAsNonRoot can tell. It owns no file in here.
USER 10001:10001
# Mount your own files here: docker run --rm -v "$PWD:/articles:ro" newsflow enrich a.txt b.html
WORKDIR /articles
EXPOSE 6066
STOPSIGNAL SIGTERM

# The start period is for loading models on a busy machine; a worker that is not live for three checks is unhealthy.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["newsflow", "health", "live"]

# One process in one container: what restarts it, and how many there are, is the orchestrator's business.
ENTRYPOINT ["newsflow"]
CMD ["worker", "--processes", "1"]
