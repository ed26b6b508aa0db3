# Every target sets the course up first if need be; PYTHON names the Python 3.11+ to set up with.
PYTHON ?= python3
READY := .venv/ready

.PHONY: lab demo test notebooks lint
lab: $(READY) ; PATH="$(CURDIR)/.venv/bin:$$PATH" jupyter lab --LabApp.default_url=/lab/tree/lectures/00_autoregressive.ipynb
demo: $(READY) ; .venv/bin/python tools/demo.py
test: $(READY) ; OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n auto --maxprocesses 4 --dist loadgroup
notebooks: $(READY) ; .venv/bin/python tools/build_notebooks.py
lint: $(READY) ; .venv/bin/ruff check && .venv/bin/ruff format --check

$(READY): pyproject.toml constraints.txt ; $(PYTHON) tools/setup.py
