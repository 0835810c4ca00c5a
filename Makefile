# Variables: PYTHON, the interpreter of both environments. VENV, where the controller's lies.
# XDG_CACHE_HOME, where wheels and downloads are cached. SNAKEMAKE_DIR, where Snakemake keeps its
# records if not in ./.snakemake. MINUTES, how long `make soak` goes on. LONG=1, `make check-likelihoods`
# with the simulations that take minutes. OPENPBS_SOURCE, a folder of OpenPBS's sources, for `make test-pbs`
# without internet. COLLECTIVES=torch, ranks add by torch.distributed, which needs no compiler, whatever the
# configuration says.
override PYTHON := $(or $(PYTHON),python3)
override VENV := $(patsubst ~/%,$(HOME)/%,$(or $(VENV),.venv))
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/elboflow
TEST_ENVIRONMENT := .test-environment
PIP = "$(VENV)/bin/python" -I workflow/scripts/elboflow/environment/site_pip.py
PLUGIN := plugins/snakemake-executor-plugin-qsub
ROOMS := workflow/scripts/elboflow
TRAINING_ROOMS := $(addprefix $(ROOMS)/,vae ranks stages trained command_line)
TRAINING_DOORS = $(shell grep -lE 'elboflow\.(ranks|stages)' workflow/scripts/*.py)
export PATH := $(abspath $(VENV))/bin:$(PATH)
# Of the shell's variables these are for other projects. elboflow/environment/surroundings.py keeps more from
# the workflow's programs, site_pip.py from pip.
unexport $(filter-out PYTHON,$(filter PYTHON%,$(.VARIABLES)))
unexport CDPATH ENV BASH_ENV POSIXLY_CORRECT GREP_OPTIONS LANG LANGUAGE
export LC_ALL := C.UTF-8
export COLLECTIVES

.PHONY: help setup report crate test test-plugin test-faults soak check-likelihoods promises keys docs test-browser test-cluster test-pbs cluster-environment test-environment lint bench status study report-so-far unlock compare clean clean-part clean-state pins
help: ## show these lines
	@sed -n 's/^\([a-z-]*\):.*## /make \1: /p' Makefile

setup: $(VENV)/plugin ## prepare Snakemake in .venv
	@$(if $(SNAKEMAKE_DIR),[ -L .snakemake ] || [ ! -e .snakemake ] || \
		{ echo ".snakemake is a folder already: move it to $(SNAKEMAKE_DIR) first" >&2; exit 1; })
	@$(if $(SNAKEMAKE_DIR),mkdir -p "$(SNAKEMAKE_DIR)" && ln -sfn "$(abspath $(SNAKEMAKE_DIR))" .snakemake)

# Looked at each time: made anew where the clone was moved or its Python is gone.
$(VENV)/pyvenv.cfg: FORCE
	@sh workflow/scripts/controller.sh "$(VENV)" "$(PYTHON)"
FORCE:

# The packages are kept as wheels, so that a second clone needs no network.
$(VENV)/requirements: requirements.txt $(VENV)/pyvenv.cfg
	wheels="$(CACHE)/controller/$$($(PYTHON) -VV | cat - requirements.txt | sha256sum | cut -c 1-16)" && \
	if [ ! -d "$$wheels" ]; then \
		$(PIP) wheel --quiet --use-pep517 --wheel-dir "$$wheels.$$$$" \
			--requirement requirements.txt && mv "$$wheels.$$$$" "$$wheels" || \
		{ rm -rf "$$wheels.$$$$"; exit 1; }; \
	fi && \
	$(PIP) install --quiet --no-index --find-links "$$wheels" --requirement requirements.txt
	@touch "$@"

# Snakemake sees no modules of other projects, however it is started.
$(VENV)/isolated: $(VENV)/requirements $(addprefix workflow/scripts/,isolated.pth snakemake.sh)
	cp workflow/scripts/isolated.pth "$(VENV)"/lib/python3*/site-packages/
	cp workflow/scripts/snakemake.sh "$(VENV)/bin/snakemake" && chmod +x "$(VENV)/bin/snakemake"
	@touch "$@"

# Installed, not linked: Snakemake finds no plugins that are installed as editable.
$(VENV)/plugin: $(VENV)/isolated $(shell find $(PLUGIN)/src -name '*.py') $(PLUGIN)/pyproject.toml
	$(PIP) install --quiet --no-index --no-build-isolation --no-deps --force-reinstall ./$(PLUGIN)
	@touch "$@"

report: setup ## train, evaluate and write results/report.html
	snakemake --profile profiles/local $(if $(COLLECTIVES),--config "environment={collectives: $(COLLECTIVES)}")
	@echo "open $(abspath results/report.html) in a browser"

$(VENV)/requirements-dev: $(VENV)/requirements requirements-dev.txt
	$(PIP) install --quiet --requirement requirements-dev.txt
	@touch "$@"

$(TEST_ENVIRONMENT)/tests: $(VENV)/requirements workflow/envs/*.txt tests/requirements.txt \
		workflow/scripts/build_environment.py $(wildcard $(ROOMS)/environment/*.py) $(ROOMS)/files/whole.py
	python workflow/scripts/build_environment.py --collectives horovod --torch pinned --pins workflow/envs/*.txt \
		--venv $(@D)/venv --build-json $(@D)/build.json --packages $(@D)/packages.txt --log $(@D)/build.log
	$(@D)/venv/bin/python -I workflow/scripts/elboflow/environment/site_pip.py install --quiet --requirement tests/requirements.txt
	@touch "$@"

test-environment: $(TEST_ENVIRONMENT)/tests ## build the environment that the tests share

lint: $(VENV)/requirements-dev $(VENV)/plugin $(TEST_ENVIRONMENT)/tests ## formatting, style and types
	ruff check . && ruff format --check . && snakefmt --check Snakefile workflow/Snakefile workflow/rules
	mypy --python-executable $(TEST_ENVIRONMENT)/venv/bin/python \
		$(TRAINING_ROOMS) $(TRAINING_DOORS)
	sh tests/lint_workflow.sh
	PYTHONPATH=workflow/scripts:. lint-imports --no-logo --no-cache
	mypy $(filter-out $(TRAINING_DOORS),$(wildcard workflow/scripts/*.py)) \
		$(filter-out $(TRAINING_ROOMS) %.py,$(wildcard $(ROOMS)/[a-z]*))
	mypy $(PLUGIN)/src

test: lint docs ## lint, the documentation, then the tests that any machine can run
	OMP_NUM_THREADS=1 $(TEST_ENVIRONMENT)/venv/bin/python -m pytest --numprocesses 2 --dist worksteal \
		tests/unit/training tests/process
	python -m pytest --numprocesses 2 tests/unit/controller
	python -m pytest --numprocesses 4 --dist worksteal $(PLUGIN)/tests # they mostly wait
	python -m pytest --numprocesses 2 --dist loadfile tests/workflow
	$(MAKE) check-likelihoods

test-plugin: ## the plugin's tests with the oldest and the newest Snakemake that it claims (minutes)
	for versions in oldest newest; do sh $(PLUGIN)/tests/matrix.sh $$versions || exit 1; done

check-likelihoods: $(VENV)/requirements $(TEST_ENVIRONMENT)/tests ## hold the numbers of vae/ against what is known without it
	$(TEST_ENVIRONMENT)/venv/bin/python benchmarks/likelihood_checks.py $(if $(LONG),--long)

promises: $(VENV)/requirements ## list what the tests promise of the report's numbers
	python tests/promise_table.py

keys: $(VENV)/requirements ## write the tables of keys in config/README.md anew, from the schema
	PYTHONPATH=workflow/scripts python tests/key_tables.py

$(VENV)/requirements-docs: $(VENV)/requirements requirements-docs.txt
	$(PIP) install --quiet --require-hashes --requirement requirements-docs.txt
	@touch "$@"

docs: $(VENV)/requirements-docs ## build the documentation: site/index.html (EXTERNAL=true checks its links to other sites too)
	@NO_MKDOCS_2_WARNING=1 mkdocs --quiet build --strict
	@echo "open $(abspath site/index.html) in a browser"

$(VENV)/requirements-crate: $(VENV)/requirements requirements-crate.txt
	$(PIP) install --quiet --no-deps --require-hashes --requirement requirements-crate.txt
	@touch "$@"

crate: setup $(VENV)/requirements-crate ## pack the finished run with its description: an RO-Crate, results/crate/
	snakemake --profile profiles/local crate

# The tests that are marked with a fault, and a table of them.
FAULTS := -p fault_table -m fault --quiet
test-faults: export PYTHONPATH := tests
test-faults: $(VENV)/requirements-dev $(VENV)/plugin $(TEST_ENVIRONMENT)/tests ## faults of machines, files and schedulers: what happens then
	@rm -f $(TEST_ENVIRONMENT)/faults.json
	$(TEST_ENVIRONMENT)/venv/bin/python -m pytest $(FAULTS) tests/unit/training tests/process
	python -m pytest $(FAULTS) tests/unit/controller $(PLUGIN)/tests tests/workflow

soak: $(VENV)/requirements-dev $(VENV)/plugin $(TEST_ENVIRONMENT)/tests ## kill processes at random for 20 minutes, and compare what comes out
	python tests/soak.py --minutes $(or $(MINUTES),20)

test-browser: $(VENV)/requirements-dev ## the pages in a headless Chromium (Debian, root; or with Chromium, Node and npm)
	sh tests/browser/run.sh

# An environment with PyPI's MPI is made anew: that one knows no Grid Engine.
cluster-environment: $(VENV)/requirements-dev $(VENV)/plugin
	sh tests/cluster/packages.sh
	grep -qs '"mpi_source": "system"' $(TEST_ENVIRONMENT)/build.json || rm -f $(TEST_ENVIRONMENT)/tests
	$(MAKE) test-environment

test-cluster: cluster-environment ## the tests on a real Grid Engine and a real Slurm (Debian, root)
	python -m pytest tests/cluster --ignore tests/cluster/open_pbs

test-pbs: cluster-environment ## the tests on a real OpenPBS, which is built from its sources first (Debian, root)
	sh tests/cluster/open_pbs/build.sh $(OPENPBS_SOURCE)
	python -m pytest tests/cluster/open_pbs

bench: $(TEST_ENVIRONMENT)/tests $(VENV)/requirements-dev $(VENV)/plugin ## speed, measured side by side: benchmarks/RESULTS.md and tables of README.md beside it
	python benchmarks/side_by_side.py --environment "$(TEST_ENVIRONMENT)/venv" --write
	$(TEST_ENVIRONMENT)/venv/bin/python benchmarks/ranks.py
	$(TEST_ENVIRONMENT)/venv/bin/python benchmarks/collectives.py
	python benchmarks/scheduler_load.py
	python benchmarks/workflow_cost.py

status: $(VENV)/requirements ## how far each training is (CONFIG=config/fashion.yaml for those of another file, ALL=1 for all rows)
	@python workflow/scripts/status.py $(if $(ALL),--all) $(CONFIG)

report-so-far: $(VENV)/requirements ## write results/report_so_far.html of the runs that are done, while others still run
	@python workflow/scripts/report_so_far.py $(CONFIG)

$(VENV)/requirements-study: $(VENV)/requirements requirements-study.txt
	$(PIP) install --quiet --requirement requirements-study.txt
	@touch "$@"

study: setup $(VENV)/requirements-study ## search for the best keys of a run by Optuna (CONFIG=config/study.yaml PROFILE=profiles/local)
	@python workflow/scripts/study.py "$(or $(CONFIG),config/study.yaml)" -- --profile "$(or $(PROFILE),profiles/local)"

unlock: setup ## after an accident, release the working directory
	snakemake --unlock

compare: $(VENV)/requirements ## runs of several experiments on one page (EXPERIMENTS="default fashion")
	@python workflow/scripts/compare.py $(EXPERIMENTS)

clean: ## list what may go, with sizes
	@$(PYTHON) workflow/scripts/clean.py results "$(CACHE)"

clean-part: ## drop one of these, as in make clean-part PART=logs, after a question (YES=1: without)
	@$(PYTHON) workflow/scripts/clean.py results "$(CACHE)" "$(PART)" $(if $(YES),--yes)

clean-state: ## drop all states but those that the present results were made from
	@$(PYTHON) workflow/scripts/kept_states.py results

pins: ## compile requirements*.txt anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --no-header requirements.in -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --no-header requirements-dev.in -o requirements-dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --generate-hashes \
		requirements-docs.in -o requirements-docs.txt
