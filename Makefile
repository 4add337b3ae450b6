# Two commands for a stranger: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DATA   ?= ../shared/datasets
NEURAL := .venv-neural

.PHONY: install demo test test-neural check bench results results-lab results-triage results-neural results-agent results-safety constants format lock clean

install: $(STAMP)

$(STAMP): requirements/lock.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: install  ## Replay an incident end to end and print its report
	$(BIN)/aiops demo --once

# What one process has compiled, the others and each aiops that they start need not compile again.
test: export PYTHONDONTWRITEBYTECODE =
test: install  ## Unit, contract, integration and acceptance tests
	@# Those that wait longest first: the many short ones fill whatever time is left.
	$(BIN)/pytest tests/acceptance tests/integration tests/contract tests/unit --durations=15

check: install  ## Lint, format, types, import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-neural: $(NEURAL)/.installed  ## Neural Granger with torch, in an environment of its own
	$(NEURAL)/bin/pytest -n 0 tests/neural tests/unit/test_neural_*.py

$(NEURAL)/.installed: requirements/lock.txt
	$(PYTHON) -m venv $(NEURAL)
	$(NEURAL)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	$(NEURAL)/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(NEURAL)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

bench: install  ## Speed, as ratios against the libraries we replace; absolute times with the machine's name
	$(BIN)/pytest tests/bench --benchmark-only --benchmark-columns=min,median,rounds -n 0 \
	    --benchmark-json=$(VENV)/bench.json
	$(BIN)/python -m aiops_evals.bench $(VENV)/bench.json evals/results/bench-dev.md

results: install  ## Measure again, and write what was measured into evals/results and the README
	$(BIN)/aiops eval rca --data $(DATA) --stress --ablation --fresh \
	    --out evals/results/rca-dev.json > evals/results/rca-dev.md
	$(BIN)/python -m aiops_evals.readme evals/results/rca-dev.json README.md

results-triage: install  ## Alert lists, and the three tasks of one pass (5 min)
	$(BIN)/aiops eval triage --data $(DATA) --out evals/results/triage-dev.json \
	    > evals/results/triage-dev.md

results-neural: $(NEURAL)/.installed  ## The neural method beside the linear ones, with torch
	$(NEURAL)/bin/aiops eval rca --data $(DATA) --datasets rcd-sockshop,nezha-trainticket \
	    --methods neural_granger,granger_pagerank,aiops --fresh \
	    --out evals/results/neural-dev.json > evals/results/neural-dev.md

results-agent: install  ## Whole investigations, by recorded tool calls and beside the analyzers alone
	$(BIN)/aiops eval agent --data $(DATA) --data datasets --misses \
	    --out evals/results/agent-dev.json > evals/results/agent-dev.md

results-safety: install  ## Forty planted orders and a model that obeys
	$(BIN)/aiops eval safety --out evals/results/safety-dev.json

results-lab: install  ## Sixty recorded faults of our own lab, from a clean clone
	$(BIN)/aiops eval rca --data datasets --datasets lab-campaign --misses --fresh \
	    --out evals/results/lab-campaign.json > evals/results/lab-campaign.md

constants: install  ## AC@1 with every constant of the default method halved and doubled (15 min)
	$(BIN)/aiops eval constants --data $(DATA) --fresh \
	    --out evals/results/constants-dev.json > evals/results/constants-dev.md

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:  ## Re-resolve requirements/lock.txt (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	    --python-version 3.11 --extra dev --extra k8s --extra aws --extra gcp --extra scale pyproject.toml -o requirements/lock.txt

clean:
	rm -rf $(VENV) $(NEURAL) .mypy_cache .ruff_cache .pytest_cache
