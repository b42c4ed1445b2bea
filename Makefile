# `make play` and `make test` work from a fresh clone with nothing but Python 3.11+, a C++20 compiler and make.
# Everything is installed into .venv; a file there remembers which group of requirements is in place.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet
CXX_SOURCES = $(shell find csrc -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh')
SANITIZED := build/sanitize
TINY := build/tiny
# A GPU machine brings its own Python, with no environment of ours.
GPU_PY = $(if $(wildcard $(PY)),$(PY),python3)
LIMIT ?= 60

.PHONY: help play test check-all bench bench-peers train-tiny gpu-check gpu-pack mutate-cuda coverage-cuda format lint \
  fuzz build clean
.DELETE_ON_ERROR:

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /: /' | awk -F': ' '{printf "  make %-12s %s\n", $$1, $$2}'

play: $(VENV)/.play build ## plays the packaged world: out/play.mp4, out/latency.json, and a window where there is a screen
	$(PY) -m yanrt play doom --seed 3 --actions examples/tour.actions --out out/play.mp4 --latency out/latency.json

test: lint build ## linters and the tests
	$(PY) -m pytest -m "not slow and not fuzz" -n 2

check-all: lint build fuzz ## everything that needs no GPU: also the slow tests and the fuzzer under sanitizers
	$(PY) -m pytest -m "not fuzz" -n 2

bench: $(VENV)/.dev build ## speed on this machine: every kernel, the packaged world and its ablation, a profile; in out/
	$(PY) -m pytest tests/kernels/bench_ops.py --benchmark-enable --benchmark-disable-gc -q
	$(PY) -m yanrt bench doom --json out/bench.json
	$(PY) -m yanrt bench doom --ablate --json out/ablation.json --chart out/ablation.png
	$(PY) -m yanrt profile doom --html out/profile.html --trace out/profile.trace --json out/profile.json

bench-peers: $(VENV)/.bench build ## yanrt beside torch, ONNX Runtime and OpenVINO, on an idle machine: out/peers.json
	$(PY) benchmarks/bench_peers.py --scaling --threads 1,2 --json out/peers.json

train-tiny: $(VENV)/.dev build ## the whole road in minutes: collect, train, export and compare a tiny world in build/tiny
	$(PY) -m python_train collect --frames 400 --episode-frames 100 --size 64x64 --out $(TINY)/data
	$(PY) -m python_train train vae --config tiny --data $(TINY)/data --out $(TINY)/vae
	$(PY) -m python_train encode --data $(TINY)/data --vae $(TINY)/vae --out $(TINY)/data/latents
	$(PY) -m python_train train sim --config tiny --data $(TINY)/data --vae $(TINY)/vae --out $(TINY)/sim
	$(PY) -m exporters sim $(TINY)/sim -o $(TINY)/tiny.safetensors
	$(PY) -m exporters compare $(TINY)/tiny.safetensors $(TINY)/sim
	$(PY) -m yanrt play $(TINY)/tiny.safetensors --actions examples/tour.actions --out $(TINY)/play.mp4 --window no

gpu-check: ## on a machine with a GPU: builds for it, checks and measures the CUDA backend (out/gpu-check.json); needs no pip
	$(GPU_PY) -m tests.cuda.gpu

gpu-pack: build ## fills build/vendor with the headers that a GPU machine without a package index lacks
	$(PY) -m tests.cuda.gpu --pack

mutate-cuda: $(VENV)/.dev build ## changes the CUDA kernels one token at a time; do the tests notice? (LIMIT=0 for all)
	$(PY) -m tests.cuda.mutate --limit $(LIMIT)

coverage-cuda: $(VENV)/.dev build ## lines of the CUDA kernels that the tests run in the simulator
	$(PY) -m tests.cuda.kernel_coverage

format: $(VENV)/.dev ## formats Python and C++
	$(PY) -m ruff check --quiet --fix .
	$(PY) -m ruff format --quiet .
	$(VENV)/bin/clang-format -i $(CXX_SOURCES)

lint: $(VENV)/.dev ## ruff, mypy, clang-format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/clang-format --dry-run -Werror $(CXX_SOURCES)

fuzz: $(VENV)/.dev build ## mutated packages against the reader under address and undefined-behaviour sanitizers
	$(PY) -m cmake -S . -B $(SANITIZED) -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(VENV)/bin/ninja \
	  -DPython_EXECUTABLE=$(CURDIR)/$(PY) -DYANRT_SANITIZE=ON -DYANRT_BINDINGS=OFF
	$(PY) -m cmake --build $(SANITIZED) --target fuzz_reader
	$(PY) -m pytest -m fuzz

build: $(VENV)/.build ## compiles yanrt/_C in place (what changed since the last time)
	@mkdir -p build
	@$(PY) setup.py --quiet build_ext --inplace > build/native.log 2>&1 || { cat build/native.log; exit 1; }

clean: ## removes what was built; keeps .venv, data and runs
	rm -rf build dist out *.egg-info yanrt/*.so

# ---- requirements ----------------------------------------------------------------------------------------------------
$(VENV)/.build: pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb')); \
	  print(*p['build-system']['requires'], *p['project']['dependencies'], sep='\n')" > $(VENV)/build.txt
	$(PIP) --requirement $(VENV)/build.txt
	@touch $@

$(VENV)/.play: $(VENV)/.build
	$(call install_extras,play)

$(VENV)/.dev: $(VENV)/.build
	$(call install_extras,play train export coverage dev)

$(VENV)/.bench: $(VENV)/.dev
	$(call install_extras,play train export dev bench)

define install_extras
	$(PY) -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
	  print(*(r for e in '$(1)'.split() for r in p['optional-dependencies'][e]), sep='\n')" > $@.txt
	$(PIP) --requirement $@.txt
	@touch $@
endef
