FROM python:3.11-slim-bookworm AS packages
WORKDIR /app
COPY requirements.txt ./
COPY bin bin
RUN python bin/prepare.py packages

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 1000 --create-home portal
WORKDIR /app
COPY --from=packages /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY . .
# Everything else that is built at set-up goes to the volume at /app/var.
RUN DEBUG=1 python manage.py compile_catalogues && rm -rf var && install -d -o portal var
USER portal
EXPOSE 8000
CMD ["python", "-m", "balabaqsha.serving", "--host", "0.0.0.0"]
