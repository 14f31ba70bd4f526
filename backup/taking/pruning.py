"""Retention, carried out: what is past its time goes from each target, then from the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from backup.catalogue import ahead, owed, volume
from backup.catalogue.begun import Begun
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Base, Copy, Manifest
from backup.catalogue.retention import NEWEST, Rules, expired, expired_bases, kept_at, surplus
from backup.repository.restic import Repository, Snapshot
from backup.steps import step
from backup.stream import points, stretches, tags
from backup.taking.alone import alone
from backup.taking.cataloguing import CATALOGUE
from backup.taking.copying import Copier

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to go: backups and base backups, leftovers of runs, and snapshots by target.

    What a target holds stays there all the same, as it has nothing newer.
    """

    records: Sequence[Manifest | Base]
    leftovers: Sequence[str]
    surplus: dict[str, list[str]] = field(default_factory=dict)
    held: dict[str, set[str]] = field(default_factory=dict)

    def at(self, target: str) -> list[str]:
        """Return the snapshots that go from one target."""
        listed = [
            record.copies[target].snapshot
            for record in self.records
            if target in record.copies and not self.holds(target, record.copies[target])
        ]
        return [*listed, *self.surplus.get(target, [])]

    def holds(self, target: str, copy: Copy) -> bool:
        """Return whether a copy stays at its target."""
        return copy.snapshot in self.held.get(target, ())

    @property
    def gone(self) -> list[str]:
        """Return the ids of what is nowhere any more then, but for targets that are away."""
        return [
            record.id
            for record in self.records
            if not any(self.holds(target, copy) for target, copy in record.copies.items())
        ]


@dataclass(frozen=True, slots=True)
class Pruner:
    """Plans and carries out the retention; only for who has claimed the folder."""

    folder: Folder
    copier: Copier
    rules: Rules

    def past(self, now: datetime) -> set[str]:
        """Return the ids of the backups that are past their time."""
        return {manifest.id for manifest in expired(self.folder.stored(), now, self.rules)}

    def plan(self, usable: Sequence[Repository], now: datetime) -> Plan:
        """Return what is past its time, and delete nothing."""
        stored, bases = self.folder.stored(), self.folder.bases()
        known = {manifest.id for manifest in stored} | {base.id for base in bases}
        leftovers = [run for run in Begun(self.folder).all() if run not in known]
        records: list[Manifest | Base] = [
            *expired(stored, now, self.rules),
            *expired_bases(bases, now, self.rules),
        ]
        targets = [repository.target.name for repository in self.copier.repositories]
        held = {name: kept_at(stored, bases, name, now, self.rules) for name in targets}
        found: dict[str, list[str]] = {}
        for repository in usable:
            if not repository.target.append_only:
                with self.copier.excused(repository):
                    needed = points.needed_snapshots(self.folder, repository.target.name)
                    snapshots = repository.snapshots()
                    owing = owed.at(self.folder, repository.target.name)
                    gone = self._surplus(repository.target.name, snapshots, leftovers, now)
                    gone += [s.id for s in snapshots if s.id in owing]
                    found[repository.target.name] = [s for s in gone if s not in needed]
        return Plan(records, leftovers, found, held)

    def _surplus(
        self, target: str, snapshots: Sequence[Snapshot], leftovers: Sequence[str], now: datetime
    ) -> list[str]:
        """Return what older catalogues, older copies of the log and killed runs have left.

        Of catalogues only those that this volume has stored, of the log also the stretches that it knows.
        """
        ours, known = volume.tag(self.folder), self._stretches(target)
        left = {f"run:{run}" for run in leftovers}
        gone = [snapshot for snapshot in snapshots if left & set(snapshot.tags)]
        catalogues = [s for s in snapshots if {CATALOGUE, ours} <= set(s.tags)]
        gone += [s for s in catalogues if not ahead.is_ahead(s.time, now)][:-NEWEST]
        logs = [snapshot for snapshot in snapshots if tags.WAL in snapshot.tags]
        known |= {tags.value(one, "stretch") or "" for one in logs if ours in one.tags}
        for stretch in known:
            same = [one for one in logs if tags.value(one, "stretch") == stretch]
            gone += surplus(same, now, self.rules)
        return [snapshot.id for snapshot in gone]

    def _stretches(self, target: str) -> set[str]:
        """Return the stretches of the log that the catalogue knows, adopted ones too."""
        marks = points.shipped(self.folder, target).marks
        return {base.stretch for base in self.folder.bases()} | {mark.stretch for mark in marks}

    def carry_out(
        self, plan: Plan, usable: Sequence[Repository], *, make_room: bool = False
    ) -> None:
        """Let the snapshots go, then the manifests of which nothing is left anywhere.

        To make room, also data goes that no snapshot has: of a dump that found none, say.
        """
        away = {r.target.name for r in self.copier.repositories}
        for repository in usable:
            name, gone = repository.target.name, plan.at(repository.target.name)
            if repository.target.append_only:
                away.discard(name)  # others do it there: for us nothing is left
                owed.note(self.folder, name, gone)
                log.info("nothing is deleted at an append-only target", target=name, kept=len(gone))
                continue
            with self.copier.excused(repository):
                if gone or make_room:
                    step(f"retention: letting {len(gone)} snapshots go from {name}")
                    with alone(self.folder, repository):
                        repository.forget(gone)
                        repository.prune()
                    owed.settle(self.folder, name, gone)
                away.discard(name)
        for record in plan.records:
            self._let_go(record, plan, away)
        in_use = [repository.target.name for repository in self.copier.repositories]
        stretches.prune_log(self.folder, self.folder.bases(), in_use)
        if not away | self._unseen(plan):
            for run in plan.leftovers:
                Begun(self.folder).settle(run)

    def _unseen(self, plan: Plan) -> set[str]:
        """Return the targets where nobody has looked for what killed runs have left."""
        targets = [repository.target for repository in self.copier.repositories]
        return {t.name for t in targets if not t.append_only and t.name not in plan.surplus}

    def _let_go(self, record: Manifest | Base, plan: Plan, away: set[str]) -> None:
        """Remove a manifest; where a target holds it, or is away and has it, keep it with what is there."""
        copies = record.copies
        left = {name: one for name, one in copies.items() if name in away or plan.holds(name, one)}
        if left:
            self.folder.save(record.model_copy(update={"copies": left}))
            return
        self.folder.remove(record)
        log.info("backup pruned", pruned=record.id)
