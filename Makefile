# radiomics_pipeline. Two commands are enough on a fresh clone: `make demo` and `make test`.

VENV := .venv
BIN := $(VENV)/bin
FIND_PYTHON = for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done
PYTHON ?= $(shell $(FIND_PYTHON))
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
DEMO := out/demo
SAMPLE := data_samples/fdg_lesions
MPI := data_samples/mpi_spect
STUDY ?= $(SAMPLE)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint bench docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## make .venv and install the package into it

demo: $(VENV)/.installed ## the whole way on the embedded samples, FDG lesions and MPI SPECT: tables and figures in out/demo
	@echo "FDG lesions: 40 synthetic PET/CT patients"
	@$(BIN)/radiomics-pipeline run $(SAMPLE) --params fdg --outcomes $(SAMPLE)/outcomes.csv \
		--target mace --clinical age,sex,stage --out $(DEMO)/fdg_lesions
	@echo "The same lesions and the time to the event"
	@$(BIN)/radiomics-pipeline select $(DEMO)/fdg_lesions/features.csv --params fdg --outcomes $(SAMPLE)/outcomes.csv \
		--time time_days --event event --clinical age,sex,stage --repeats 2 --out $(DEMO)/fdg_lesions/time
	@echo
	@echo "Myocardial perfusion SPECT: 60 synthetic patients, stress and rest; MACE, then the time to it"
	@$(BIN)/radiomics-pipeline run $(MPI) --params mpi_spect --outcomes $(MPI)/outcomes.csv \
		--target mace --clinical age,sex,diabetes --out $(DEMO)/mpi_spect
	@$(BIN)/radiomics-pipeline select $(DEMO)/mpi_spect/features.csv --params mpi_spect --outcomes $(MPI)/outcomes.csv \
		--time time_days --event event --clinical age,sex,diabetes --repeats 2 --out $(DEMO)/mpi_spect/time
	@$(BIN)/radiomics-pipeline polar-map $(MPI)/MPI_001/stress_image.nii.gz $(MPI)/MPI_001/stress_mask.nii.gz \
		--params mpi_spect --series stress --out $(DEMO)/mpi_spect/polar_map.png
	@echo "Open selection.png in $(DEMO)/fdg_lesions and $(DEMO)/mpi_spect, in time/ of both, and $(DEMO)/mpi_spect/polar_map.png; what was planted stands in the samples' READMEs"

test: $(VENV)/.developed ## all tests but the complete tables against PyRadiomics
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not exhaustive"

test-all: $(VENV)/.developed ## all tests, every option of PyRadiomics on every case
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

lint: $(VENV)/.developed ## ruff, mypy, and whether the generated pages are up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python docs/generate.py --check

bench: $(VENV)/.developed ## speed against PyRadiomics and reading, growth, memory, throughput, filters, maps; STUDY=folder for your own
	@$(BIN)/python benchmarks/speed.py $(STUDY) --most 10
	@$(BIN)/python benchmarks/throughput.py $(STUDY)
	@$(BIN)/python benchmarks/growth.py --largest 6
	@$(BIN)/python benchmarks/filters.py $(SAMPLE)/FDG_001/CT_image.nii.gz $(SAMPLE)/FDG_001/CT_mask.nii.gz 25
	@$(BIN)/python benchmarks/maps.py $(SAMPLE)/FDG_001/CT_image.nii.gz $(SAMPLE)/FDG_001/CT_mask.nii.gz --theirs 300

docs: $(VENV)/.installed ## write the pages of docs/features from the features themselves
	@$(BIN)/python docs/generate.py

clean: ## remove .venv, out and all caches
	@rm -rf $(VENV) out build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python of at least 3.11 was found. Install one, or name it: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11. Name a newer one: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Making $(VENV) with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(PIP) install --upgrade pip

$(VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing radiomics_pipeline and what it needs (a few minutes the first time)"
	@$(PIP) install --editable .
	@$(BIN)/radiomics-pipeline warmup
	@touch $@

$(VENV)/.developed: $(VENV)/.installed
	@echo "Installing what tests and lint need"
	@$(PIP) install --editable '.[dev]'
	@if $(PIP) install --editable '.[pyradiomics]' >$(VENV)/pyradiomics.log 2>&1; then :; \
	elif [ -n "$$RADIOMICS_REQUIRE_PYRADIOMICS" ]; then cat $(VENV)/pyradiomics.log; exit 1; \
	else echo "PyRadiomics could not be built (it needs a C compiler); its tests will be skipped. See $(VENV)/pyradiomics.log"; fi
	@touch $@
