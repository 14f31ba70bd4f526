# Each target is a thin line over a script or a service's own command; `make` lists them. More options go through ARGS.
SHELL := bash
.SHELLFLAGS := -Eeuo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

VENV := .venv/bin
COMPOSE := docker compose
DEV := $(COMPOSE) --file compose.yaml --file compose.dev.yaml
PYTEST := $(VENV)/python -m pytest
# Containers wait more than they compute, so two at a time; each has a database or a stack of its own.
PARALLEL := --numprocesses=2 --dist=loadfile
ARGS ?=

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the stack -------------------------------------------------------------------------------------

.PHONY: up
up: engine ## Start the stack (installing what is missing), wait until it is well, print where it is
	@scripts/up $(COMPOSE)

.PHONY: dev
dev: engine ## The same, and changes of web/, mailer/, backup/ and common/ are taken over within seconds
	@scripts/up $(DEV)

.PHONY: down
down: engine ## Stop the stack; all data stays
	@$(COMPOSE) --profile '*' down --remove-orphans

.PHONY: ps
ps: engine ## What runs, and how well
	@$(COMPOSE) ps --all

.PHONY: logs
logs: engine ## Follow the logs (ARGS=mailer for one service)
	@$(COMPOSE) logs --follow --tail=100 $(ARGS)

.PHONY: shell
shell: engine ## A shell inside web (ARGS=mailer for another part)
	@$(COMPOSE) exec $(or $(ARGS),web) bash

.PHONY: psql
psql: engine ## A database shell as the database's own superuser
	@$(COMPOSE) exec db psql --host=/run/postgresql --username=postgres keelson

.PHONY: operator-link
operator-link: engine ## Print the link that makes the first operator, as long as there is none
	@$(COMPOSE) exec -T web python -m web operator-link

.PHONY: backup
backup: engine ## Take a backup now, and prove it by restoring it
	@$(COMPOSE) exec backup python -m backup take $(ARGS)

.PHONY: backups
backups: engine ## List the backups
	@$(COMPOSE) exec backup python -m backup list $(ARGS)

.PHONY: verify
verify: engine ## Restore the latest backup into a scratch database and compare
	@$(COMPOSE) exec backup python -m backup verify $(ARGS)

.PHONY: restore
restore: engine ## Replace the database by its latest backup (AT=id for another, YES=1 to be asked nothing)
	@$(COMPOSE) run --rm --no-deps $(if $(YES),-T) restore python -m backup restore $(if $(AT),--at $(AT)) $(if $(YES),--yes)
	@$(MAKE) --no-print-directory migrate # the backup may be from before the latest migration

.PHONY: migrate
migrate: engine ## Bring the database's schema to what the code needs
	@$(COMPOSE) run --build --rm --no-deps -T migrate

.PHONY: secret
secret: engine ## Keep a secret for the service that needs it (NAME=mail_password), from the terminal or from FILE=
	@$(if $(FILE),,read -rsp "$(NAME): " value && echo && printf '%s' "$$value" |) \
		$(COMPOSE) run --rm --no-deps -T init init put $(NAME) $(if $(FILE),<'$(FILE)')

# --- mail ------------------------------------------------------------------------------------------

MAIL := $(COMPOSE) exec mailer python -m mailer

.PHONY: mail-status
mail-status: engine ## How the mail does, and what to do next
	@$(MAIL) status $(ARGS)

.PHONY: mail-list
mail-list: engine ## List mail, the newest first (ARGS='--state dead', --kind, --to ADDRESS or @DOMAIN, --limit)
	@$(MAIL) list $(ARGS)

.PHONY: mail-show
mail-show: engine ## One mail: its tries, why it is not sent, when it is tried next (ID=)
	@$(MAIL) show '$(ID)' $(ARGS)

.PHONY: mail-retry
mail-retry: engine ## Send mail again as if it came now (ID=, or STATE= and KIND=)
	@$(MAIL) retry $(if $(ID),'$(ID)') $(if $(STATE),--state '$(STATE)') $(if $(KIND),--kind '$(KIND)') $(ARGS)

.PHONY: mail-cancel
mail-cancel: engine ## See to it that mail is not sent (ID=, or KIND= for all of it that waits)
	@$(MAIL) cancel $(if $(ID),'$(ID)') $(if $(KIND),--kind '$(KIND)') $(ARGS)

.PHONY: mail-pause
mail-pause: engine ## Hold all mail back, or a kind of it (KIND=)
	@$(MAIL) pause $(if $(KIND),--kind '$(KIND)') $(ARGS)

.PHONY: mail-resume
mail-resume: engine ## End that pause (KIND=)
	@$(MAIL) resume $(if $(KIND),--kind '$(KIND)') $(ARGS)

.PHONY: mail-probe
mail-probe: engine ## Try the relay now, where trouble with it holds mail back
	@$(MAIL) probe $(ARGS)

.PHONY: mail-suppressions
mail-suppressions: engine ## The addresses that get no more mail
	@$(MAIL) suppressions $(ARGS)

.PHONY: mail-test
mail-test: engine ## Send a test mail past the queue, and tell each step (TO=you@example.org)
	@$(MAIL) test '$(TO)' $(ARGS)

# --- tests -----------------------------------------------------------------------------------------

.PHONY: test
test: engine venv browser ## Everything that CI checks: lint, types, unit, integration, stack, browser
	@scripts/test

.PHONY: lint
lint: venv ## Format and lint
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .

.PHONY: types
types: venv ## Check the types, strictly
	@$(VENV)/mypy

.PHONY: test-unit
test-unit: venv ## Tests that need nothing
	@$(PYTEST) tests/unit $(ARGS)

.PHONY: test-integration
test-integration: engine venv images ## Tests that need one container
	@$(PYTEST) $(PARALLEL) tests/integration $(ARGS)

.PHONY: test-stack
test-stack: engine venv images ## Tests that need the whole stack (their own, beside yours)
	@$(PYTEST) $(PARALLEL) tests/stack $(ARGS)

.PHONY: test-browser
test-browser: engine venv images browser ## Tests that need the whole stack and a browser
	@$(PYTEST) tests/browser $(ARGS)

.PHONY: test-long
test-long: engine venv images ## Tests that take many minutes: ten thousand mails through every misfortune
	@$(PYTEST) tests/long $(ARGS)

.PHONY: bench
bench: engine venv images ## Measure, and print the tables (bench-web and bench-mail for one alone, ARGS=drain for a part)
	@$(VENV)/python bench/stack.py
	@$(VENV)/python bench/web.py
	@$(VENV)/python bench/mail.py

.PHONY: bench-web
bench-web: engine venv images ## The web's tables (ARGS='pages processes layers')
	@$(VENV)/python bench/web.py $(ARGS)

.PHONY: bench-mail
bench-mail: engine venv images ## The mail's table (ARGS=drain for one part)
	@$(VENV)/python bench/mail.py $(ARGS)

# --- upkeep ----------------------------------------------------------------------------------------

.PHONY: format
format: venv ## Format the code and mend what can be mended
	@$(VENV)/ruff format .
	@$(VENV)/ruff check --fix .

.PHONY: lock
lock: ## Refresh the pinned versions in requirements/
	@scripts/lock

.PHONY: env-example
env-example: venv ## Write .env.example anew from the settings
	@$(VENV)/python scripts/env_example.py

.PHONY: images
images: engine ## Build every image, for the tests
	@scripts/images

.PHONY: engine
engine:
	@scripts/engine
	@scripts/base-image

.PHONY: venv
venv:
	@scripts/venv

.PHONY: browser
browser:
	@scripts/browser
