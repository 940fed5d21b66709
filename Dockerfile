# The service's image: the page, then the wheel, then what runs. docs/architecture.md says what runs in it.

FROM node:22.23.2-bookworm-slim AS page
WORKDIR /page
COPY grafana/viewer ./
RUN npm ci && node build.mjs web


FROM python:3.11.15-slim-bookworm AS wheel
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY deploy/requirements-build.lock requirements.lock ./
RUN python -m pip install --require-hashes --requirement requirements-build.lock \
 && python -m venv /opt/ent \
 && /opt/ent/bin/python -m pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY schemas schemas
COPY sinks sinks
COPY grafana grafana
COPY streams streams
COPY --from=page /page/web grafana/viewer/web
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/ent/bin/python -m pip install --no-deps dist/*.whl


FROM python:3.11.15-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/ent --shell /usr/sbin/nologin ent \
 && install --directory --owner ent --group ent /var/lib/ent
COPY --from=wheel /opt/ent /opt/ent
ENV PATH=/opt/ent/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/ent
ENTRYPOINT ["/opt/ent/bin/ent"]
CMD ["worker"]
