# The service in a slim image that does not run as root; what builds it stays behind.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements requirements
# The whole lock, so that every file is checked by its hash.
RUN python -m venv /opt/aiops \
    && /opt/aiops/bin/pip install --no-cache-dir --require-hashes -r requirements/lock.txt
COPY . .
RUN /opt/aiops/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/aiops --create-home aiops
COPY --from=build /opt/aiops /opt/aiops
ENV PATH=/opt/aiops/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /var/lib/aiops
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["aiops"]
CMD ["serve", "--host", "0.0.0.0"]
