"""No verb at all: the schedule, until told to end."""

import os
import sys
from argparse import Namespace

import structlog

from backup.catalogue.folder import Folder
from backup.clock import now
from backup.repository.opening import opened
from backup.schedule import slots as schedule
from backup.schedule.child import Child
from backup.schedule.told import ToldStream
from backup.schedule.worker import Plan, Worker
from backup.settings import Settings
from backup.stream.service import Stream
from backup.watching import outcome
from common.database import open_engine
from common.heartbeat import Heartbeat

log = structlog.get_logger(__name__)
OURSELVES = [sys.executable, "-m", "backup"]


def work(_arguments: Namespace, settings: Settings) -> int:
    """Do all that is scheduled until told to end."""
    folder = Folder(settings.backup_folder)
    folder.require_writable()
    plan = Plan(
        backups=schedule.parse(settings.backup_schedule),
        drills=schedule.parse(settings.backup_drill_schedule),
    )
    engine = open_engine(settings, "backup")
    log.info(
        "on schedule",
        schedule=settings.backup_schedule,
        keep_days=settings.backup_retention_days,
        targets=settings.backup_targets,
        point_in_time=settings.backup_point_in_time,
    )
    with opened(settings) as repositories:
        stream = ToldStream(
            Stream(engine, settings.url(), folder, repositories, now),
            outcome.alerts(settings, folder, engine, now),
            now,
        )
        Worker(
            engine,
            folder,
            plan,
            run=Child(OURSELVES),
            watch=Child(OURSELVES),
            stream=stream if settings.backup_point_in_time else None,
            beat=Heartbeat().beat,
            clock=now,
        ).work()
    return os.EX_OK
