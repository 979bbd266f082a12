# Kanoscope in a container, by BuildKit or Buildah: `docker compose up`, or
# `docker build -t kanoscope . && docker run --init -p 127.0.0.1:8000:8000 -v kanoscope:/data kanoscope`

FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY frontend frontend
COPY kan_core kan_core
COPY server server
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
ENV PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

# PyPI's torch brings gigabytes of CUDA on x86-64, which Kanoscope does not use; uv knows where the builds for the CPU
# are kept. `--build-arg TORCH_BACKEND=` takes PyPI's, where nothing but PyPI or a mirror of it is reached.
ARG TORCH_BACKEND=cpu
# what the package needs comes before the package, so that a change of the code does not fetch it all again
RUN --mount=type=bind,source=pyproject.toml,target=/tmp/pyproject.toml \
    pip install "uv>=0.9,<1" \
    && uv pip install --system --no-cache --compile-bytecode ${TORCH_BACKEND:+--torch-backend "$TORCH_BACKEND"} \
        --requirements /tmp/pyproject.toml --extra onnx \
    && pip uninstall --yes uv
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-deps /wheels/*.whl

# small tensors: more threads only make the machine slower
ENV HOME=/data \
    KANOSCOPE_DATA_DIR=/data \
    NUMBA_CACHE_DIR=/var/cache/numba \
    OMP_NUM_THREADS=1
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data kanoscope \
    && install --directory --owner=10001 --group=10001 /data /var/cache/numba
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000

# http.client knows no proxies, which urllib would take from the environment
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/api/health'); exit(c.getresponse().status != 200)"]
CMD ["kanoscope", "serve", "--host", "0.0.0.0", "--no-browser"]
