# Everything runs in a virtualenv inside this folder. The tools are called by relative paths and
# with `python -m`, so the folder may have spaces in its name.

PYTHON ?= python3
OLDEST_PYTHON ?= $(PYTHON)
CONN ?= 2000
ARGS ?=
INTEROP ?=
ELSEWHERE ?=

# What the demonstration uses; a comma may not stand in an argument of a function of make.
DEMO_EXTRAS := .[load,web]

# What is shown on the pages of docs/.
OURS := --mode=starttls --mode=pair --mode=wrapped \
	--peer=twisted-starttls --peer=twisted-wrapped --peer=twisted-pair
THEIRS := --peer=asyncio-start_tls --peer=asyncio-streams --peer=node-tlssocket \
	--peer=node-securepair --peer=twisted-starttls
RUN := .venv/bin/python -m tlsdemo
SAMPLE := .venv/bin/python docs/sample.py
IN_README := --scenario='ALPN only' --tls=1.3 --stack=twisted-starttls --against='twisted==25.5.0'

# Coverage that no change may lower; these tell what happens on the wire.
COVERED := tlsdemo/tls/*,tlsdemo/starttls/*,tlsdemo/testing/*,tlsdemo/state_machine.py,tlsdemo/close_reasons.py

# Tests that take seconds are in modules named slow_*.py, beside the others. Trial does not look into
# those of its own accord; `make test-all` and `make oldest` name them.
# ELSEWHERE names those that something else runs.
SLOW_TESTS := $(filter-out $(ELSEWHERE),$(sort $(subst /,.,$(basename $(shell find tests -name 'slow_*.py')))))
# The bench needs a pyOpenSSL that sets the groups, so it has no part in the oldest versions.
OLDEST_TESTS := $(filter-out tests.bench tests.bench.%,$(SLOW_TESTS) $(sort $(subst /,.,\
	$(patsubst %/__init__.py,%,$(wildcard tests/*/__init__.py)) \
	$(basename $(wildcard tests/test_*.py)))))

# What a user set for another project would send the packages elsewhere or bring in other modules.
# Settings of where packages come from (an index, a proxy, a certificate) stay.
unexport PYTHONPATH PYTHONHOME COVERAGE_FILE COVERAGE_RCFILE COVERAGE_PROCESS_START
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON PIP_DRY_RUN PIP_NO_DEPS PIP_NO_BUILD_ISOLATION
unexport PIP_CONSTRAINT PIP_REQUIREMENT PIP_EDITABLE PIP_REQUIRE_HASHES
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# With LC_ALL=C, setuptools cannot write the name of a folder that has other letters than ASCII's.
export LC_ALL := C.UTF-8

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint types oldest docs history site check-docs bench bench-quick instructions fuzz interop interop-peers clean
.NOTPARALLEL:

help: ## list the targets (the default)
	@echo "make TARGET [PYTHON=$(PYTHON)]"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name text; do \
		printf '  %-13s %s\n' "$$name" "$$text"; done

demo: .venv/.demo ## what each mode does and costs, under load, live; CONN=2000, ARGS='...'
	@# On a terminal with a live page, which stays until Ctrl-C.
	if test -t 1; then set -- --web; fi; .venv/bin/python -m tlsdemo run --conn $(CONN) "$$@" $(ARGS)

test: .venv/.test ## the tests that are quick, with branch coverage
	$(call run_tests,tests,5 minutes)

test-all: .venv/.test ## all tests, with branch coverage
	$(call run_tests,tests $(SLOW_TESTS),12 minutes)

lint: .venv/.dev ## style: ruff; spelling: codespell
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m codespell_lib

types: .venv/.dev ## types: mypy, strict
	.venv/bin/python -m mypy

oldest: .venv-oldest/.test ## all tests with the oldest versions supported; OLDEST_PYTHON=...
	@echo "== Tests, with the oldest supported versions: some 8 minutes on two idle cores"
	@$(call versions,.venv-oldest)
	.venv-oldest/bin/python -m tests.slowest $(OLDEST_TESTS)

docs: .venv/.docs ## write what docs/ and README show of what is seen; build the site: 3 minutes
	@rm -rf .pages && mkdir .pages
	$(call timed,the load,$(RUN) run --conn $(CONN) --json=.pages/load.json >.pages/load.txt \
		|| { cat .pages/load.txt; exit 1; }; $(SAMPLE) README.md demo .pages/load.txt \
		&& .venv/bin/python docs/load_chart.py .pages/load.json docs/images/load.svg)
	$(call pages,docs)
	$(call timed,the image of ALPN,$(RUN) events $(IN_README) --sequence-diagram --output=.pages/alpn.txt \
		&& .venv/bin/python docs/text_image.py .pages/alpn.txt docs/images/alpn.svg \
		'A client that offers ALPN: the release of Twisted installed (left) and 25.5 (right)')
	$(call timed,findings,$(RUN) findings --all --format=markdown >docs/findings.md)
	$(call timed,findings elsewhere,$(RUN) findings --all --against 'twisted==25.5.0' >.pages/findings.txt \
		&& $(SAMPLE) docs/compare.md findings .pages/findings.txt)
	$(call timed,reports,$(RUN) findings --reports .pages/reports >/dev/null \
		&& mv .pages/reports/index.md docs/reports.md)
	$(call timed,tables of the code,.venv/bin/python -m tlsdemo.starttls.state_diagrams >docs/dialects.md \
		&& .venv/bin/python -m tlsdemo.cli.state_machines_page >docs/state-machines.md \
		&& .venv/bin/python -m tlsdemo.cli.options_page >docs/options.md \
		&& .venv/bin/python -m tlsdemo.scan.scan_page docs/scan.md \
		&& .venv/bin/python -m bench.releases --page-only docs/gate-history.md)
	@rm -rf .pages
	$(call timed,the site,$(MAKE) --no-print-directory site)

check-docs: .venv/.demo ## compare those pages with what is seen with the versions installed
	@echo "== The pages of docs/, and what is seen now"
	@$(call versions,.venv)
	@rm -rf .pages && mkdir .pages
	$(RUN) run --conn 20 --duration 1 >.pages/load.txt
	$(SAMPLE) --same-words README.md demo .pages/load.txt
	.venv/bin/python -m tlsdemo.cli.options_page | diff docs/options.md -
	$(call pages,.pages)
	diff -I '^Seen with' docs/events.md .pages/events.md
	.venv/bin/python -m bench.releases --page-only .pages/gate-history.md
	diff docs/gate-history.md .pages/gate-history.md
	@if diff docs/ecosystems.md .pages/ecosystems.md | grep -q 'Seen with'; then \
		echo "docs/ecosystems.md was made with other versions, and is not compared:"; \
		grep -h '^Seen with' docs/ecosystems.md .pages/ecosystems.md; \
	else set -x; diff docs/ecosystems.md .pages/ecosystems.md; fi
	@rm -rf .pages

history: .venv/.bench ## the gate between the last releases: docs/gate-history.md; some 20 minutes
	PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/python -m bench.releases $(ARGS)

site: .venv/.docs ## build the documentation in build/site; warnings are errors
	.venv/bin/python -m sphinx -q -W --keep-going -b html docs build/site
	@echo "== build/site/index.html"

bench: .venv/.bench ## what each proxy costs, side by side: writes bench/RESULTS.md; ARGS='...'
	.venv/bin/python -m bench --output=bench $(ARGS)

bench-quick: .venv/.bench ## the same with fewer cases, in under five minutes; ARGS='...'
	.venv/bin/python -m bench --quick $(ARGS)

instructions: .venv/.demo ## count instructions, and compare with bench/instructions.json
	.venv/bin/python -m bench.instructions $(ARGS)

fuzz: .venv/.demo ## random input for every negotiation; ARGS='--inputs 10000'
	.venv/bin/python -m bench.fuzz_dialects $(ARGS)

interop: .venv/.interop ## real foreign clients and servers; INTEROP=interop.test_smtp for some
	.venv/bin/python -m interop $(INTEROP)

interop-peers: .venv/.interop ## install those clients and servers (apt-get, npm); interop does it, too
	.venv/bin/python -m interop.install

clean: ## remove what make and the tools made; the certificates stay
	rm -rf .venv .venv-oldest build dist *.egg-info
	rm -rf .coverage .coverage.* .hypothesis .mypy_cache .ruff_cache
	rm -rf _trial_temp* twisted/plugins/dropin.cache interop/node_modules interop/seen.json
	find tlsdemo tests bench interop twisted -name __pycache__ -prune -exec rm -rf {} +

# The virtualenvs. A stamp says what is installed; a longer list contains the shorter ones.
# Once a virtualenv's Python is gone, as after an upgrade of the system's, its stamps say nothing.

STAMPS := .venv/.demo .venv/.bench .venv/.docs .venv/.test .venv/.interop .venv/.dev .venv-oldest/.test
.PHONY: $(foreach stamp,$(STAMPS),$(if $(realpath $(dir $(stamp))bin/python),,$(stamp)))

.venv/.demo: .venv/bin/python setup.cfg pyproject.toml
	$(call install,.venv,-e '$(DEMO_EXTRAS)')
	@touch $@

.venv/.test: .venv/bin/python setup.cfg pyproject.toml
	$(call install,.venv,-e '.[test]')
	@touch .venv/.demo $@

.venv/.bench: .venv/bin/python setup.cfg pyproject.toml
	$(call install,.venv,-e '.[bench]')
	@touch .venv/.demo .venv/.test $@

.venv/.docs: .venv/bin/python setup.cfg pyproject.toml
	$(call install,.venv,-e '.[docs]')
	@touch .venv/.demo $@

.venv/.interop: .venv/bin/python setup.cfg pyproject.toml
	$(call install,.venv,-e '.[interop]')
	@touch .venv/.demo .venv/.test $@

.venv/.dev: .venv/bin/python setup.cfg pyproject.toml
	$(call install,.venv,-e '.[dev]')
	@touch .venv/.demo .venv/.docs .venv/.test $@

.venv-oldest/.test: .venv-oldest/bin/python setup.cfg pyproject.toml constraints-oldest.txt
	$(call install,.venv-oldest,-c constraints-oldest.txt -e '.[test]')
	@touch $@

.venv/bin/python:
	@$(call make_venv,.venv,$(PYTHON))

.venv-oldest/bin/python:
	@$(call make_venv,.venv-oldest,$(OLDEST_PYTHON))

# $(1): the virtualenv, $(2): what to install. Somebody's own .venv may have no pip.
define install
@echo "== Installing tlsdemo and what it needs into $(1): pip install $(2)" >&2
@$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(1)/bin/python -m ensurepip
@$(1)/bin/python -m tlsdemo.lab.compare.pip_steps install $(2)
endef

# $(1): the virtualenv, $(2): the Python to make it with. Every way out but the last removes what
# was made, so that the next try starts afresh.
define make_venv
say() { printf '%s\n' "$$@" >&2; }; \
if ! "$(2)" -I -c '' 2>/dev/null; then \
	say "make: '$(2)' does not run as Python 3, and tlsdemo needs 3.10 or newer." \
	    "  Install one (Debian, Ubuntu: apt-get install python3 python3-venv)," \
	    "  or name the one to use: make PYTHON=python3.11"; \
	exit 1; \
fi; \
version=$$("$(2)" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
if ! "$(2)" -I -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then \
	say "make: '$(2)' is Python $$version, and tlsdemo needs 3.10 or newer." \
	    "  Name a newer one: make PYTHON=python3.11"; \
	exit 1; \
fi; \
if ! "$(2)" -I -c 'import ensurepip, venv' 2>/dev/null; then \
	say "make: '$(2)' (Python $$version) cannot make a virtualenv: it lacks ensurepip." \
	    "  Debian, Ubuntu: apt-get install python3-venv (or python$$version-venv)," \
	    "  then the same make again; or name another Python: make PYTHON=python3.11"; \
	exit 1; \
fi; \
say "== Making $(1) with $(2) (Python $$version)"; \
trap 'rm -rf $(1)' EXIT; trap 'exit 1' HUP INT TERM; \
"$(2)" -m venv --clear $(1) && trap - EXIT
endef

# $(1): the packages and modules to run, $(2): how long that takes. tests.slowest is trial, with a
# line for each module and a list of the slowest tests.
define run_tests
@echo "== Tests, with branch coverage: some $(2) on two idle cores"
@$(call versions,.venv)
.venv/bin/python -m coverage erase
.venv/bin/python -m coverage run -m tests.slowest $(1)
.venv/bin/python -m coverage combine --quiet
.venv/bin/python -m coverage report
@echo "== $(COVERED): 100 % or fail"
.venv/bin/python -m coverage report --include='$(COVERED)' --fail-under=100
endef

# $(1): where to. What asyncio and Node do changes with versions that are not ours to choose: they
# have a page of their own.
define pages
$(call timed,events,$(RUN) events $(OURS) --format=markdown --output=$(1)/events.md)
$(call timed,events of other stacks,$(RUN) events $(THEIRS) --format=markdown --output=$(1)/ecosystems.md)
endef

# $(1): what it is about, $(2): commands.
define timed
@echo "== Docs: $(1)"; begun=$$(date +%s); $(2) || exit 1; \
	echo "== Docs: $(1): $$(( $$(date +%s) - begun )) s"
endef

define versions
$(1)/bin/python -m pip list --format=freeze | \
	grep -iE '^(twisted|pyopenssl|cryptography|service-identity)=' | tr '\n' ' '; \
$(1)/bin/python --version
endef
