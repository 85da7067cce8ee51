# make demo   the product with a made-up city, from nothing on a fresh machine
# make test   every test, those in a browser too
# make check  lint, types, import layers
# make proof DATA=folder   the proof on real data, written to var/proof.md
# make bench  the figures of speed, written to var/
# make pin    pin the versions in pyproject.toml anew
# make clean       remove what set-up made: .venv, fetched assets, caches
# make clean-data  remove the private database and everything in var/, after asking

PYTHON ?= python3
export PYTHON
BIN := .venv/bin
DATA ?= ../shared/data

.PHONY: demo test check proof bench pin clean clean-data system-run system-test
.DEFAULT_GOAL := demo

demo: system-run .venv/.run static/vendor/.run
	@exec env SHAOTU_LOG_LEVEL=$${SHAOTU_LOG_LEVEL:-warning} SHAOTU_LOG_FORMAT=$${SHAOTU_LOG_FORMAT:-text} $(BIN)/python app.py --demo

test: system-test .venv/.dev static/vendor/.dev
	@mkdir -p var
	$(BIN)/python -m pytest --junitxml=var/tests.xml $(ARGS)

check: system-run .venv/.dev
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

proof: system-run .venv/.dev
	$(BIN)/python -m bench.proof --data $(DATA) --report var/proof.md

bench: system-test .venv/.dev static/vendor/.dev
	$(BIN)/python -m bench.speed --data $(DATA) --report var/bench.md

pin:
	./setup/pin.sh

system-run:
	@./setup/system.sh run

system-test:
	@./setup/system.sh test

.venv/.run: requirements.txt pyproject.toml setup/python.sh
	@./setup/python.sh requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt pyproject.toml setup/python.sh
	@./setup/python.sh requirements-dev.txt
	@touch $@ .venv/.run

static/vendor/.run: static/vendor.lock | .venv/.run
	@echo "哨图 Shaotu  取得地图脚本 / fetching the map's scripts (npm)"
	@$(BIN)/python -m gis assets >/dev/null
	@touch $@

static/vendor/.dev: static/vendor.lock | .venv/.dev
	@echo "哨图 Shaotu  取得地图脚本 / fetching the map's scripts (npm)"
	@$(BIN)/python -m gis assets --tests >/dev/null
	@touch $@ static/vendor/.run

clean:
	rm -rf .venv static/vendor *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

clean-data: .venv/.run
	@$(BIN)/python -m gis database remove
	rm -rf var
