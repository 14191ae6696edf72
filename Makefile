# make demo   set everything up, open napari with the sample particles, run the main job
# make test   set everything up, run every check and test (windows under Xvfb)
# make clean  remove what these made

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export QT_API := pyqt6
# Without a display, real windows open on a virtual one.
SCREEN := xvfb-run -a -s "-screen 0 1400x900x24"
DISPLAYED := $(DISPLAY)$(WAYLAND_DISPLAY)

.PHONY: demo test check libraries clean

demo: $(READY) libraries
	$(if $(DISPLAYED),,$(SCREEN)) $(BIN)/python -m napari_phasemap.views.demo \
	  --output demo_output $(if $(DISPLAYED),--stay,--leave)

test: $(READY) libraries check
	@bash .ci/tests $(BIN)/python

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

libraries:
	@bash .ci/system-libraries

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; run make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test]"
	touch $@

clean:
	rm -rf $(VENV) demo_output build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
