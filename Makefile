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

.PHONY: migrate
migrate: engine ## Bring the database's schema to what the code needs
	@$(COMPOSE) run --build --rm --no-deps -T migrate

.PHONY: secret
secret: engine ## Keep a secret for the service that needs it (NAME=mail_password), from the terminal or from FILE=
	@$(if $(FILE),,read -rsp "$(NAME): " value && echo && printf '%s' "$$value" |) \
		$(COMPOSE) run --rm --no-deps -T init init put $(NAME) $(if $(FILE),<'$(FILE)')

# --- backups ---------------------------------------------------------------------------------------

BACKUP := $(COMPOSE) exec backup python -m backup
# The one-shot that holds the owner's password; AGREED are the answers where nobody is there to be asked.
RESTORE := $(COMPOSE) run --rm --no-deps $(if $(YES),-T) restore python -m backup
AGREED := $(if $(YES),--yes) $(if $(END),--end-connections)

.PHONY: backup
backup: engine ## Take a backup now, prove it by restoring it, copy it, let old ones go
	@$(BACKUP) take $(ARGS)

.PHONY: backups
backups: engine ## List the backups
	@$(BACKUP) list $(ARGS)

.PHONY: verify
verify: engine ## Restore the latest backup into a scratch database and compare (ARGS='ID --target sftp' for another)
	@$(BACKUP) verify $(ARGS)

.PHONY: backup-status
backup-status: engine ## How the backups do: the last proven one, targets, drills, alerts, and what is wrong
	@$(BACKUP) status $(ARGS)

.PHONY: backup-watch
backup-watch: engine ## Look at the targets now, tell what is wrong, push the history, as the worker does by itself
	@$(BACKUP) watch $(ARGS)

.PHONY: targets
targets: engine ## Look at each place where backups go: can it be used, and what lies there
	@$(BACKUP) targets $(ARGS)

.PHONY: backup-copy
backup-copy: engine ## Copy backups to the targets where they are missing
	@$(BACKUP) copy $(ARGS)

.PHONY: prune
prune: engine ## Let go the backups that are past their time (ARGS=--dry-run to see which)
	@$(BACKUP) prune $(ARGS)

.PHONY: backup-unlock
backup-unlock: engine ## Remove the locks that killed runs have left in the repositories
	@$(BACKUP) unlock $(ARGS)

.PHONY: points
points: engine ## Show which instants can be restored, and from where
	@$(BACKUP) points $(ARGS)

.PHONY: base-backup
base-backup: engine ## Take a base backup now, from which any later instant can be restored
	@$(BACKUP) base $(ARGS)

.PHONY: drill
drill: engine ## Rehearse now: restore a random instant, and read a part of each repository anew
	@$(BACKUP) drill $(ARGS)

.PHONY: schema-log
schema-log: engine ## The changes of the database's schema, backup by backup
	@$(BACKUP) schema-log $(ARGS)

.PHONY: schema-diff
schema-diff: engine ## How the schema differs between two backups, days, instants or commits (A=, B=; without B the newest)
	@$(BACKUP) schema-diff '$(A)' $(if $(B),'$(B)') $(ARGS)

.PHONY: restore
restore: engine ## Put the database back (AT=id, an instant or end, BASE= if asked for; YES=1 and END=1, connections, to be asked nothing)
	@$(RESTORE) restore $(if $(AT),--at '$(AT)') $(if $(BASE),--base '$(BASE)') $(if $(TARGET),--target '$(TARGET)') $(AGREED) $(ARGS)
	@$(MAKE) --no-print-directory migrate # the backup may be from before the latest migration

.PHONY: restore-undo
restore-undo: engine ## Go back to the database that the latest restore has put aside (NAME= for another)
	@$(RESTORE) undo $(NAME) $(AGREED) $(ARGS)

.PHONY: restore-drop
restore-drop: engine ## Drop for good what restores have put aside (NAME= for one of them)
	@$(RESTORE) drop-old $(NAME) $(if $(YES),--yes) $(ARGS)

.PHONY: restore-table
restore-table: engine ## Bring tables back beside the live ones (TABLES="outbox accounts", AT=)
	@$(RESTORE) restore-table $(TABLES) $(if $(AT),--at '$(AT)') $(if $(BASE),--base '$(BASE)') $(if $(TARGET),--target '$(TARGET)') $(ARGS)

.PHONY: adopt
adopt: engine ## On a new machine: learn from a target (TARGET=) what backups there are
	@$(COMPOSE) run --build --rm --no-deps -T init
	@$(RESTORE) adopt $(if $(TARGET),--target '$(TARGET)') $(ARGS)

.PHONY: recovery-kit
recovery-kit: engine ## Write recovery-kit.md: a key and a recipe, for when this machine is gone
	@scripts/recovery-kit recovery-kit.md $(COMPOSE)

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
	@$(PYTEST) $(PARALLEL) tests/browser $(ARGS)

.PHONY: screenshots
screenshots: engine venv images browser ## Pictures of every page into artifacts/screenshots (desktop and phone, light and dark)
	@$(PYTEST) tests/browser/pictures.py $(ARGS)

.PHONY: test-long
test-long: engine venv images ## Tests that take many minutes: ten thousand mails through every misfortune, the API asked anything (SEED=)
	@$(PYTEST) tests/long $(ARGS)
	EXAMPLES=100 SEED=$(or $(SEED),$(shell date +%s)) $(PYTEST) --timeout=3600 tests/integration/test_web_api_schemathesis.py

.PHONY: bench
bench: engine venv images ## Measure, and print the tables (bench-web, bench-mail, bench-console, bench-backup for one alone, ARGS=drain for a part)
	@$(VENV)/python bench/stack.py
	@$(VENV)/python bench/web.py
	@$(VENV)/python bench/mail.py
	@$(VENV)/python bench/console.py
	@$(MAKE) --no-print-directory bench-backup

.PHONY: bench-web
bench-web: engine venv images ## The web's tables (ARGS='pages processes layers')
	@$(VENV)/python bench/web.py $(ARGS)

.PHONY: bench-mail
bench-mail: engine venv images ## The mail's table (ARGS=drain for one part)
	@$(VENV)/python bench/mail.py $(ARGS)

.PHONY: bench-console
bench-console: engine venv images ## The pages' tables, after a year of a busy site (ARGS='console public API')
	@$(VENV)/python bench/console.py $(ARGS)

.PHONY: bench-backup
bench-backup: engine venv images ## The backups' tables, on a database that is made for it (ARGS='dump restore load peers', SCALE=)
	@IMAGE_TAG=test $(COMPOSE) --file compose.yaml --file compose.test.yaml --profile bench build --quiet backup-peers
	@$(VENV)/python bench/backup.py $(ARGS)

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
