"""The recovery kit's text: what to type where the machine is gone, with nothing but stock programs. Pure.

Each block of commands follows the one before it in the same shell; a test does just that.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

PACKAGES = "restic postgresql-17 openssh-client ca-certificates"


@dataclass(frozen=True, slots=True)
class Place:
    """A target as the kit tells of it: its address, the kit's key there, and what it takes to get in."""

    name: str
    kind: str
    location: str
    key_id: str
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    files: dict[str, str] = field(default_factory=dict, repr=False)  # name: content
    options: tuple[str, ...] = ()  # of restic; $PWD is the folder with those files


@dataclass(frozen=True, slots=True)
class Facts:
    """All else that the kit tells."""

    made_at: datetime
    password: str = field(repr=False)
    database: str
    roles: Sequence[str]
    catalogue: str
    versions: dict[str, str]


def write(facts: Facts, places: Sequence[Place]) -> str:
    """Return the kit as Markdown."""
    parts = [
        _head(facts, places),
        TOOLS.format(packages=PACKAGES),
        _files(facts, places),
        _doors(places),
        LOOK.format(catalogue=shlex.quote(facts.catalogue)),
        LOGICAL.format(
            database=facts.database,
            roles=" ".join(shlex.quote(r) for r in facts.roles if r != "postgres"),
        ),
        INSTANT.format(database=facts.database),
        STACK,
    ]
    return "\n".join(parts)


def _head(facts: Facts, places: Sequence[Place]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    rows = "\n".join(f"| {p.name} | `{p.location}` | `{p.key_id}` |" for p in places)
    return (
        f"# Recovery kit of {facts.database}\n\n"
        f"Made on {facts.made_at:%Y-%m-%d %H:%M} UTC, with {versions}.\n\n"
        "**Who has this file can read every backup.** Keep it where the machine is not, and print it. Its key is"
        " its own: making another kit ends it.\n\n"
        f"| target | address | this kit's key |\n|---|---|---|\n{rows}\n"
    )


def _files(facts: Facts, places: Sequence[Place]) -> str:
    files = {"key": facts.password}
    for place in places:
        files |= place.files
    lines = ["umask 077", "mkdir -p ~/keelson-recovery", "cd ~/keelson-recovery"]
    for name, content in files.items():
        lines += [f"cat >{name} <<'END'", content.rstrip("\n"), "END"]
    lines.append("export RESTIC_PASSWORD_FILE=$PWD/key")
    return "## 2. The key, and what it takes to get in\n\n" + block(lines)


def _doors(places: Sequence[Place]) -> str:
    doors = [f"### {place.name}\n\n" + block(_door(place)) for place in places]
    return "## 3. One of the targets\n\n" + "\n".join(doors)


def _door(place: Place) -> list[str]:
    lines = []
    if place.kind == "local":
        lines.append("# This one was on the machine itself: write where its copy is now.")
    lines.append(f"export RESTIC_REPOSITORY={shlex.quote(place.location)}")
    lines += [f"export {name}={shlex.quote(value)}" for name, value in place.environment.items()]
    # It only reads, perhaps from a disk that can't be written; there a lock would be tried for ever.
    options = " ".join(["--no-lock", *(f'"{option}"' for option in place.options)])
    return [*lines, f'restic() {{ command restic {options} "$@"; }}']


def block(lines: Sequence[str]) -> str:
    """Return commands as a block of code."""
    return "```bash\n" + "\n".join(lines) + "\n```\n"


TOOLS = """\
## 1. The programs

On Debian 13, as root. All that follows is for any other user, in one shell; stop at the first error.

```bash
apt-get update && apt-get install -y {packages}
```
"""

LOOK = """\
## 4. What there is

The catalogue has a file for each backup: when, how many rows in each table, and whether it was proven.

```bash
restic snapshots --compact
restic restore --tag catalogue latest:{catalogue} --target catalogue
ls catalogue
```
"""

LOGICAL = """\
## 5a. The latest proven backup

Or another one: `ID=` the name of its file in the catalogue.

```bash
ID=$(basename "$(grep -l '"state": "proven"' catalogue/*.json | sort | tail -n 1)" .json)
restic dump --tag "logical,run:$ID" latest /keelson.dump >keelson.dump
export PATH=/usr/lib/postgresql/17/bin:$PATH
initdb --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8
pg_ctl --pgdata=data --log=data.log --wait --options="-k $PWD -c listen_addresses=''" start
export PGHOST=$PWD PGUSER=postgres
for role in {roles}; do createuser "$role"; done
createdb --owner=keelson_owner {database}
pg_restore --exit-on-error --jobs=2 --dbname={database} keelson.dump
vacuumdb --analyze-only {database}
psql --dbname={database} --command='\\dt+'
```

`pg_ctl --pgdata=data stop` stops this server.
"""

INSTANT = """\
## 5b. Any instant since the oldest base backup

The last block of step 3 and step 4 come first, then this one, in place of 5a. Write the instant that you want.

```bash
INSTANT=${{INSTANT:-2026-11-22 14:03:00Z}}
for file in catalogue/bases/*.json; do
    at=$(sed -n 's/.*"consistent_at": *"\\([^"]*\\)".*/\\1/p' "$file")
    if (($(date -d "$at" +%s%N) <= $(date -d "$INSTANT" +%s%N))); then BASE=$file; fi
done
RUN=$(basename "$BASE" .json)
STRETCH=$(sed -n 's/.*"stretch": *"\\([^"]*\\)".*/\\1/p' "$BASE")
restic restore --tag "base,run:$RUN" latest --target base
restic restore --tag "wal,stretch:$STRETCH" latest --target log
DATA=$(dirname "$(find "$PWD/base" -name backup_label)") LOG=$(find "$PWD/log" -type d -name "$STRETCH")
export PATH=/usr/lib/postgresql/17/bin:$PATH
pg_verifybackup --no-parse-wal --quiet "$DATA"
chmod 700 "$DATA"
touch "$DATA/recovery.signal"
echo 'local all all trust' >hba.conf
cat >>"$DATA/postgresql.auto.conf" <<END
restore_command = 'cp "$LOG/%f" "%p" || cp "$LOG/%f.partial" "%p"'
recovery_target_time = '$INSTANT'
recovery_target_action = promote
hot_standby = off
listen_addresses = ''
unix_socket_directories = '$PWD'
hba_file = '$PWD/hba.conf'
ssl = off
synchronous_standby_names = ''
END
pg_ctl --pgdata="$DATA" --log=data.log --wait --timeout=86400 start
export PGHOST=$PWD PGUSER=postgres
until pg_isready --quiet; do
    pg_ctl --pgdata="$DATA" status >/dev/null || {{ tail -n 3 data.log; break; }}
    sleep 1
done
psql --dbname={database} --command='\\dt+'
```

It ends with "recovery ended before configured recovery target was reached" where the instant is later than the last
commit that was stored: take an earlier one.
"""

STACK = """\
## 6. A new machine with the whole stack

With the same release of the code, and in `.env` the same `BACKUP_TARGETS` and credentials. In place of the repository's
key, which is lost, this kit's:

```
make secret NAME=repository_key FILE=~/keelson-recovery/key
make adopt
make up
make restore AT=...
```

`make adopt` prints what to write there. After that make a new kit.
"""
