# The service as an image: `docker compose up` runs it as web and worker; alone it serves with SQLite in /data.
FROM python:3.12-slim AS build

WORKDIR /src
# Dependencies first: they change rarely, and this layer is then reused.
COPY requirements/build.txt requirements/run.txt requirements/
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement requirements/build.txt \
    && python -m venv --without-pip /opt/bonewise \
    && uv pip sync --python /opt/bonewise/bin/python --no-cache --require-hashes --compile-bytecode requirements/run.txt
COPY pyproject.toml README.md ./
COPY config/ config/
COPY templates/ templates/
COPY scheduler/ scheduler/
# The build back end stays behind in this stage; only what runs goes on.
RUN hatchling build --target wheel --directory dist \
    && uv pip install --python /opt/bonewise/bin/python --no-cache --no-deps --compile-bytecode dist/*.whl


FROM python:3.12-slim

# The number is fixed, so that files in volumes keep their owner from one version of the image to the next.
RUN groupadd --gid 10001 bonewise \
    && useradd --uid 10001 --gid bonewise --no-create-home --home-dir /data --shell /usr/sbin/nologin bonewise \
    && install --directory --owner bonewise --group bonewise --mode 0750 /data
COPY --from=build /opt/bonewise /opt/bonewise

ENV PATH=/opt/bonewise/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BONEWISE_DATA_DIR=/data \
    BONEWISE_DATABASE_URL=sqlite:////data/bonewise.db
WORKDIR /data
VOLUME /data
USER bonewise
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["sh", "-c", "bonewise init && exec bonewise serve --host 0.0.0.0 --port 8000"]
