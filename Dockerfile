FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt /tmp/
RUN python -m venv /venv \
    && sed -n '/^setuptools==/,/^[^ ]/p' /tmp/requirements.txt | sed '${/^[^ s]/d}' > /tmp/first.txt \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /tmp/first.txt \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary=:all: --no-binary=font-roboto \
        --use-pep517 --no-build-isolation -r /tmp/requirements.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 1000 --create-home portal
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY . .
# What doesn't depend on the installation is built into the image; the keys are only there to let the settings load.
RUN mkdir var \
    && export DEBUG=1 DATABASE_URL=postgres://none/none REDIS_URL=redis://none \
    && python manage.py compile_catalogues && python manage.py build_fonts \
    && DEBUG=0 BALABAQSHA_DEMO=1 python manage.py collectstatic --no-input \
    && chown -R portal var
USER portal
EXPOSE 8000
CMD ["gunicorn", "balabaqsha.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "2", \
     "--access-logfile", "-", "--no-control-socket"]
