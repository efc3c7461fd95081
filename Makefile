# Two commands are all it takes: `make run` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help run stop test tests thorough coverage lint audit judges mutants format messages shell reset-demo bench bench-alerts bench-crowd bench-import bench-map bench-opening bench-outbox bench-queue bench-workplace soak chaos backup-drill pin-images cluster failover pages manual sbom licences reproducible update pictures screenshots install lock

# Any Python from 3.11 on makes the environment; everything else runs inside it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PREPARE = $(or $(PYTHON),$(error Python 3.11 or newer is needed. On Debian: apt-get install python3.11)) bin/prepare.py
BIN := .venv/bin
PY := $(BIN)/python
# The portal's own environment (demo mode, this checkout's keys and servers) and that of the tests.
PORTAL := $(PY) -m balabaqsha.runner exec
TESTING := $(PY) -m balabaqsha.servers exec --test env DJANGO_SETTINGS_MODULE=balabaqsha.settings_test
# What to test: make test TESTS=tests/bulletin
TESTS ?=
# By how many processes at once: make test WORKERS=4. One more than two cores: a test waits often for the database, a
# browser, a process or a time to pass, and meanwhile another one works.
WORKERS ?= 3
UV_VERSION := 0.13.9
CYCLONEDX_VERSION := 7.5.0
ifdef PORT
export PORT
endif
# Without bytecode every worker and every program that a test starts would compile all of the code anew.
unexport PYTHONDONTWRITEBYTECODE
ifdef THOROUGH
export THOROUGH
endif

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Set up what is missing and run the portal (PORT=8000, HOST=127.0.0.1)
	@$(PREPARE) run
	@$(PY) -m balabaqsha.runner

# The checks take the moments in which tests wait; what they say comes after the tests.
test: ## Set up what is missing, then check and test everything, the browser included (TESTS=path for a part)
	@$(PREPARE) test
	@mkdir -p var/log; nice $(MAKE) --no-print-directory lint >var/log/lint.log 2>&1 & lint=$$!; trap "kill $$lint" INT TERM; \
	CHROMIUM="$$($(PREPARE) browser)" $(TESTING) $(MAKE) --no-print-directory tests; tests=$$?; \
	wait $$lint; checks=$$?; cat var/log/lint.log; \
	exit $$((checks || tests))

# Measuring costs a third of the time again, so it is a run of its own. The rules have a gate of their own.
RULES_PERCENT := 100
RULES := applications/states.py,applications/refusals.py,applications/moves.py,$(\
	)$(foreach room,rules queue benefits waiting bidding referrals access undoing closings reports files,applications/$(room)/*,)$(\
	)bulletin/workdays.py,bulletin/opening.py,bulletin/seats.py,$(\
	)accounts/iin.py,accounts/sms_codes.py,accounts/limits.py

# Inside the environment of the tests.
tests:
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) manage.py compile_catalogues
	@$(PY) manage.py build_fonts
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal $(MEASURE) $(TESTS)

thorough: ## The same tests, with all of what a usual run takes a part of (an hour; before a release)
	@$(MAKE) --no-print-directory test THOROUGH=1

coverage: ## The same tests, and which branches of the code they take; fails below the gates
	@$(PREPARE) test
	@CHROMIUM="$$($(PREPARE) browser)" $(TESTING) $(MAKE) --no-print-directory tests MEASURE="--cov --cov-report=term"
	@$(PY) -m coverage report --include="$(subst $() ,,$(RULES))" --fail-under=$(RULES_PERCENT)

lint: ## Style, types, layers, dependencies, new migrations, docker-compose.yml
	@$(PREPARE) test
	@$(MAKE) --no-print-directory -j2 --keep-going --output-sync $(CHECKS)

# Two at once, beginning with those that take long.
CHECKS := $(addprefix lint-,types migrations style layers declared files)
.PHONY: $(CHECKS)
lint-types:
	$(PY) -m mypy
lint-migrations:
	$(TESTING) $(PY) manage.py lintmigrations --verbosity 1
lint-style:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
lint-layers:
	$(BIN)/lint-imports --no-logo
lint-declared:
	$(BIN)/deptry . --no-ansi
	$(BIN)/deptry . --no-ansi $(DEPTRY_TESTS)
lint-files:
	$(PY) -m check_jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(PY) -m check_jsonschema --schemafile deploy/compose.schema.json docker-compose.yml
	$(PY) -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/test.yml

# The tests, too, use only what is declared; that they use the tools of development is as it should be.
DEPTRY_TESTS := --exclude \.venv --ignore DEP002,DEP004

audit: ## Ask whether a locked package has a known hole (needs pypi.org)
	@$(PREPARE) test
	@$(PY) bin/audit.py

mutants: ## Change the rules in small ways and see whether a test fails (MUTANTS='bulletin.workdays*' for one module)
	@$(PREPARE) test
	@$(TESTING) $(BIN)/mutmut run --max-children 1 $(if $(MUTANTS),'$(MUTANTS)')
	@$(TESTING) $(PY) bin/mutants.py

format: ## Put the code into the house style
	@$(PREPARE) test
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

messages: ## Collect new messages into locale/{kk,ru} and compile
	@$(PREPARE) run
	@$(PORTAL) $(PY) manage.py collect_messages
	@$(PORTAL) $(PY) manage.py compile_catalogues

shell: ## A Django shell on the portal's own data
	@$(PREPARE) run
	@$(PORTAL) $(PY) manage.py shell

stop: ## Stop a portal that runs out of this folder, and what a killed one left behind
	@$(PY) -m balabaqsha.runner stop

reset-demo: ## Throw the demo city away and build it anew
	@$(PREPARE) run
	@$(PORTAL) $(PY) manage.py set_up --reset-demo

bench: ## Measure the minute it opens, on a scratch database (SERVER=path of gunicorn for another web server)
	@$(PREPARE) run
	@$(PY) benchmarks/rush.py $(if $(SERVER),--server $(SERVER))

bench-crowd: ## Measure who comes beside 10,000 connections, 40 sign-ins, 200 slow senders (part of bench; ROUNDS=3)
	@$(PREPARE) run
	@$(PY) benchmarks/rush.py --crowd $(if $(ROUNDS),--rounds $(ROUNDS))

bench-opening: ## Ten thousand families in the minute of an opening, processes killed in it (FAMILIES=1000 SECONDS=30)
	@$(PREPARE) run
	@$(PY) benchmarks/opening.py $(if $(FAMILIES),--families $(FAMILIES)) $(if $(SECONDS),--before $(SECONDS))

bench-queue: ## Measure what a number in the queue costs, on a scratch database (ROWS=1000000)
	@$(PREPARE) run
	@$(PY) benchmarks/queue_position.py $(if $(ROWS),--rows $(ROWS))

bench-import: ## Measure what bringing in a former queue costs, on a scratch database (ROWS=200000)
	@$(PREPARE) run
	@$(PY) benchmarks/bring_in.py $(if $(ROWS),--rows $(ROWS))

bench-map: ## Measure the map and the catalogue of 12,000 kindergartens, on a scratch database (KINDERGARTENS=3000)
	@$(PREPARE) run
	@$(PY) benchmarks/map.py $(if $(KINDERGARTENS),--kindergartens $(KINDERGARTENS))

bench-outbox: ## Measure what delivering SMS costs, and how long a code waits meanwhile, on a scratch database (ROWS=100000)
	@$(PREPARE) run
	@$(PY) benchmarks/outbox.py $(if $(ROWS),--rows $(ROWS))

bench-alerts: ## Measure telling 100,000 families of new places, and a code asked for meanwhile (ROWS=100000)
	@$(PREPARE) run
	@$(PY) benchmarks/alerts.py $(if $(ROWS),--rows $(ROWS))

bench-workplace: ## Measure every list and start page of the workplace in a city of full size, on a scratch database
	@$(PREPARE) run
	@$(PY) benchmarks/workplace.py

soak: ## Two minutes of an ordinary day against the portal as it is served, on a scratch database (SECONDS=250, RATE=10)
	@$(PREPARE) run
	@$(PY) benchmarks/soak.py $(if $(SECONDS),--seconds $(SECONDS)) $(if $(RATE),--per-second $(RATE))

pin-images: ## Name the images of docker compose by what is in them, as the registry has it (needs skopeo; CHECK=1 asks nobody)
	@$(or $(PYTHON),python3) bin/pin_images.py $(if $(CHECK),--check)

cluster: ## The portal as several machines serve it, on this one, and what befalls it there (KEEP=1 leaves it standing)
	@$(PREPARE) run
	@$(PY) -m drills.cluster $(if $(KEEP),--keep)

failover: ## The database dies while families write, the standby takes over, and nothing is lost (KEEP=1)
	@$(PREPARE) run
	@$(PY) -m drills.failover $(if $(KEEP),--keep)

chaos: ## One fault after another while families press, on servers of its own (FAULTS=redis-killed,postgres-stopped for a part)
	@$(PREPARE) test
	@$(PY) -m drills.chaos $(if $(FAULTS),--faults $(FAULTS)) $(if $(PORT),--port $(PORT))

backup-drill: ## Lose a portal while families press, and bring it back by deploy/backup and deploy/restore (needs age)
	@$(PREPARE) test
	@$(PY) -m drills.backup $(if $(PORT),--port $(PORT))

pages: ## Weigh every page on a slow phone, look at all widths, take pictures into var/pages (URL=..., a demo that runs)
	@$(PREPARE) test
	@CHROMIUM="$$($(PREPARE) browser)" $(PY) -m benchmarks.pages $(if $(URL),--url $(URL))

screenshots: ## A picture of every page in both languages, narrow and wide, by day and night, into var/screenshots (PAGES=part)
	@$(PREPARE) test
	@CHROMIUM="$$($(PREPARE) browser)" $(PY) -m benchmarks.screenshots $(if $(PAGES),--pages '$(PAGES)') $(if $(PORT),--port $(PORT))

manual: ## Take the pictures of the employees' manual anew, into static/manual (URL=..., a demo that runs)
	@$(PREPARE) test
	@CHROMIUM="$$($(PREPARE) browser)" $(PY) -m benchmarks.manual $(if $(URL),--url $(URL))

pictures: ## Draw the pictures beside shared links anew, into static/img
	@$(PREPARE) test
	@CHROMIUM="$$($(PREPARE) browser)" $(PY) benchmarks/share_pictures.py

judges: ## Let the Nu checker, a feed reader and Lighthouse judge the public pages of a portal that runs (URL=..., RUNS=3)
	@$(PREPARE) test
	@$(PY) bin/judges.py $(if $(URL),--site $(URL)) $(if $(RUNS),--runs $(RUNS))

install: ## Only make .venv and install the locked packages
	@$(PREPARE) run

lock: ## Resolve pyproject.toml into the two lock files (UPGRADE=--upgrade takes newer versions)
	@$(PREPARE) run
	@$(PY) -m venv var/lock && var/lock/bin/pip install -q uv==$(UV_VERSION)
	@$(LOCK) -o requirements.txt
	@$(LOCK) --group dev -c requirements.txt -o requirements-dev.txt
update: ## Take the newest packages that pyproject.toml allows; then run make audit and make test before they are kept
	@$(MAKE) --no-print-directory lock UPGRADE=--upgrade
	@$(PREPARE) test
	@$(MAKE) --no-print-directory licences

licences: ## Write docs/licences.md: the licence of every package that the portal runs on
	@$(PREPARE) run
	@$(PY) bin/licences.py >docs/licences.md

sbom: ## List what .venv holds, with versions and licences (CycloneDX), into var/sbom.json; in a fresh checkout what runs
	@$(PREPARE) run
	@$(PY) -m venv var/sbom && var/sbom/bin/pip install -q cyclonedx-bom==$(CYCLONEDX_VERSION)
	@var/sbom/bin/cyclonedx-py environment .venv --pyproject pyproject.toml --output-reproducible -o var/sbom.json

reproducible: ## Build what is committed twice, and compare catalogues, fonts and static files
	@$(PREPARE) run
	@$(PY) bin/reproducible.py

LOCK = var/lock/bin/uv pip compile pyproject.toml -q $(UPGRADE) --universal --python-version 3.11 --no-config \
	--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command 'make lock'
