"""The figures of the mail, of the backups, and of web itself, for a monitoring system, in Prometheus' text format.

Only the private network may ask; edge answers 404. docs/operations.md says what each one means.
"""

from collections.abc import Iterable, Iterator

import structlog
from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from common.database import reason_of
from common.mail_figures import QUANTILES, RETRY_SECONDS, WINDOWS_SECONDS, Figures, read_figures
from common.mail_gates import ALLOWANCE, PAUSE, QUOTA, RELAY, pause_of
from web.extensions import db
from web.operation import backups
from web.operation.figures import Counted

ATTENTION = ("dead", "unsure")
GATES = (RELAY, QUOTA, ALLOWANCE, PAUSE)  # told also where they are open

log = structlog.get_logger(__name__)

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def show() -> Response:
    """Answer with the figures as they are now; without a database, with the fact that it is away."""
    registry = CollectorRegistry()
    registry.register(Once(current_families()))
    registry.register(Counted())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class Once(Collector):
    """Metrics that were read already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._metrics


def current_families() -> list[Metric]:
    """Return every metric of what the database knows; while it is away, that it is."""
    try:
        session = db.session()
        figures = read_figures(session)
        return [*families(figures), *backups.families(session, figures.at)]
    except SQLAlchemyError as error:
        log.warning("no figures", reason=reason_of(error))
        return list(families(None))


def families(figures: Figures | None) -> Iterator[Metric]:
    """Yield whether the database answers, and every metric of the mail."""
    up = gauge("keelson_database_up", "Whether the database answers queries.")
    up.add_metric([], figures is not None)
    yield up
    if figures is not None:
        yield from of_waiting(figures)
        yield from of_done(figures)
        yield from of_pace(figures)
        yield from of_obstacles(figures)


def of_waiting(figures: Figures) -> Iterator[Metric]:
    """Yield what waits, by kind."""
    mails = gauge("keelson_mail_queued", "Mails that wait.", "kind")
    due = gauge("keelson_mail_due", "Mails that wait and are due.", "kind")
    in_hand = gauge("keelson_mail_in_hand", "Mails that a mailer has in hand.", "kind")
    oldest = gauge(
        "keelson_mail_oldest_due_seconds", "How long the first mail in the queue is due.", "kind"
    )
    paused = gauge("keelson_mail_paused", "Whether an operator holds back what waits.", "kind")
    names = {gate.name for gate in figures.gates}
    for one in figures.waiting:
        paused.add_metric([one.kind], not names.isdisjoint({PAUSE, pause_of(one.kind)}))
        mails.add_metric([one.kind], one.mails)
        due.add_metric([one.kind], one.due)
        in_hand.add_metric([one.kind], one.in_hand)
        late = (figures.at - one.oldest_due_at).total_seconds() if one.oldest_due_at else 0
        oldest.add_metric([one.kind], late)
    retries = gauge(
        "keelson_mail_retries",
        "Mails that failed before and are tried again within.",
        "within_seconds",
    )
    edges = [*map(str, RETRY_SECONDS), "+Inf"]
    for edge, number in zip(edges, figures.retries, strict=True):
        retries.add_metric([edge], number)
    yield from (mails, due, in_hand, oldest, paused, retries)


def of_done(figures: Figures) -> Iterator[Metric]:
    """Yield what asks for attention, and what was done in a day."""
    attention = gauge(
        "keelson_mail_attention", "Mails that an operator decides on.", "state", "kind"
    )
    done = gauge("keelson_mail_done_24h", "Mails that were done with in 24 hours.", "state", "kind")
    for one in figures.done:
        family = attention if one.state in ATTENTION else done
        family.add_metric([one.state, one.kind], one.mails)
    yield from (attention, done)


def of_pace(figures: Figures) -> Iterator[Metric]:
    """Yield how fast mail goes."""
    rate = gauge("keelson_mail_sent_per_second", "Mails that the relay took.", "window_seconds")
    for seconds, number in zip(WINDOWS_SECONDS, figures.sent, strict=True):
        rate.add_metric([str(seconds)], number / seconds)
    taken = gauge(
        "keelson_mail_accept_seconds", "From queued to accepted, within an hour.", "quantile"
    )
    for quantile, told in zip(QUANTILES, figures.seconds_to_accept, strict=False):
        taken.add_metric([str(quantile)], told)
    yield from (rate, taken)


def of_obstacles(figures: Figures) -> Iterator[Metric]:
    """Yield what holds mail back, and who is there to send it."""
    closed = gauge("keelson_mail_gate_closed", "Whether the gate holds mail back.", "gate")
    since = gauge("keelson_mail_gate_closed_seconds", "For how long it does.", "gate", "cause")
    names = {gate.name for gate in figures.gates}
    for name in [*GATES, *sorted(names.difference(GATES))]:
        closed.add_metric([name], name in names)
    for gate in figures.gates:
        since.add_metric([gate.name, gate.cause], (figures.at - gate.since).total_seconds())
    mailers = gauge("keelson_mail_mailers", "Mailers that live.")
    mailers.add_metric([], len(figures.alive))
    yield from (closed, since, mailers)


def gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    """Return a metric without values as yet."""
    return GaugeMetricFamily(name, meaning, labels=labels)
