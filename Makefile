# The front door. `make` or `make help` lists what there is.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
# Settings of the caller must not change what a target does.
unexport PYTHONPATH

.DEFAULT_GOAL := help
.PHONY: help book pdf epub links serve lab test exercises grade grade-farm redteam redteam-plain bench bench-farm bench-grading experiments mutants lint lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt tools/environment.sh
	@bash tools/environment.sh "$(PYTHON)" "$(VENV)"

book: $(READY) ## build the book into _build/html; with SOLUTIONS=1 one for lecturers into _build/solutions
	@$(RUN) -m tools.build_book $(if $(SOLUTIONS),--solutions)

pdf: $(READY) ## print the whole book into _build/cnn-building-blocks.pdf (needs Chromium)
	@$(RUN) -m tools.build_pdf

epub: $(READY) ## the whole book for e-readers: _build/epub/cnn-building-blocks.epub
	@$(RUN) -c "from tools.build_book import build, run_builder; raise SystemExit(build(cold=False) or run_builder('epub'))"

links: $(READY) ## ask every outside address in the book whether it is still there (needs the network)
	@$(RUN) -c "from tools.build_book import run_builder; raise SystemExit(run_builder('linkcheck'))"

serve: $(READY) ## build the book and serve it on http://127.0.0.1:8000 (PORT=… for another port)
	@$(RUN) -m tools.build_book
	@$(RUN) -m tools.serve --port $(PORT)

lab: $(READY) ## open JupyterLab on the student notebooks
	@PYTHONPATH=book $(RUN) -m jupyter lab --notebook-dir=exercises $(if $(filter 0,$(shell id -u)),--allow-root)

test: $(READY) ## install what the tests need and run them all
	@bash tools/system_packages.sh "chromium:chromium:command -v chromium || command -v chromium-browser || command -v google-chrome" bwrap:bubblewrap
	@$(RUN) -m pytest -n auto --dist loadfile

exercises: $(READY) ## generate the student notebooks from solutions/
	@$(RUN) -m cnnlib.grading.notebooks

grade: $(READY) ## run nbgrader's whole cycle on sample submissions (EXERCISE=ch05_activation for another than chapter 4's)
	@$(RUN) -m cnnlib.grading.classroom $(if $(EXERCISE),--exercise $(EXERCISE))

grade-farm: $(READY) ## grade ASSIGNMENT=… of the course in COURSE=classroom on WORKERS=… processes; without one, the sample class
	@$(RUN) -m $(if $(ASSIGNMENT),cnnlib.grading autograde $(ASSIGNMENT) $(if $(COURSE),--course $(COURSE)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(SCHEDULER),--scheduler $(SCHEDULER)),cnnlib.grading.classroom --workers $(or $(WORKERS),2))

bench-grading: $(READY) ## submissions per second beside plain nbgrader, on the same notebooks and cores
	@$(RUN) -m benchmarks.grading

bench-farm: $(READY) ## ten thousand submissions on the farm, one worker killed in the middle (NUMBER=… for another number)
	@$(RUN) -m benchmarks.farm $(if $(NUMBER),--number $(NUMBER))

redteam: $(READY) ## every attack of tests/redteam on every exercise (half an hour)
	@REDTEAM_ALL=1 $(RUN) -m pytest -n auto tests/redteam

redteam-plain: $(READY) ## the same attacks on nbgrader as it comes, to show that they are real (minutes)
	@$(RUN) -m tests.redteam.plain

bench: $(READY) ## measure the layers against torch and print the ratios
	@$(RUN) benchmarks/layers.py

experiments: $(READY) ## run all experiments on small data (hours; goes on where it was stopped; SIZE=full for all the data)
	@$(RUN) -m cnnlib.training.experiments run all --size $(or $(SIZE),small) --jobs $(or $(JOBS),2)

mutants: $(READY) ## how many small faults in the solutions the graders notice (minutes)
	@$(RUN) -m tools.mutants

lint: $(READY) ## check format, style and types
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy

lock: $(READY) ## pin every version anew in constraints.txt
	@bash tools/lock.sh $(RUN)

clean: ## remove builds and caches, keep the environment
	rm -rf _build build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@[ ! -e classroom/made_by_make_grade ] || rm -rf classroom  # a sample class, never a real one
