"""The breaches of a day: by route and rule, by who, and each of these hour by hour."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.orm import Session

HOURS = 24
LINES = 2  # routes, and clients, that are told hour by hour; the others are told together

# Read once by the primary key, which begins with the minute; the sums are made of that.
READ = text("""
    WITH recent AS MATERIALIZED (
        SELECT minute, route, rule, who, address, times
          FROM limit_breaches
         WHERE minute >= date_trunc('hour', now()) - interval '23 hours'
    ), hourly AS MATERIALIZED (
        SELECT 'route' AS by, route AS name, date_trunc('hour', minute) AS at, sum(times) AS times
          FROM recent GROUP BY route, 3
         UNION ALL
        SELECT 'who', who, date_trunc('hour', minute), sum(times) FROM recent GROUP BY who, 3
    ), largest AS (
        SELECT by, name, row_number() OVER (PARTITION BY by ORDER BY sum(times) DESC, name) AS place
          FROM hourly GROUP BY by, name
    )
    SELECT json_build_object(
        'at', now(),
        'hours', (SELECT coalesce(json_agg(one), '[]')
                    FROM (SELECT date_trunc('hour', minute) AS at, sum(times) AS times
                            FROM recent GROUP BY 1 ORDER BY 1) AS one),
        'lines', (SELECT coalesce(json_agg(one), '[]')
                    FROM (SELECT by, name,
                                 json_agg(json_build_object('at', at, 'times', times)) AS hours
                            FROM hourly JOIN largest USING (by, name)
                           WHERE place <= :lines GROUP BY by, name, place ORDER BY by, place) AS one),
        'routes', (SELECT coalesce(json_agg(one), '[]')
                     FROM (SELECT route, rule, sum(times) AS times, count(DISTINCT who) AS clients
                             FROM recent GROUP BY route, rule ORDER BY 3 DESC LIMIT 20) AS one),
        'clients', (SELECT coalesce(json_agg(one), '[]')
                      FROM (SELECT who, rule, min(address) AS address, sum(times) AS times, max(minute) AS last
                              FROM recent GROUP BY who, rule ORDER BY max(minute) DESC, 4 DESC LIMIT 50) AS one))
""")


@dataclass(frozen=True, slots=True)
class Hour:
    """How many requests were refused in an hour."""

    at: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Line:
    """One route, or one client, hour by hour; `by` says which it is: route or who."""

    by: str
    name: str
    hours: list[Hour]


@dataclass(frozen=True, slots=True)
class Route:
    """Where they were refused, by which rule, and to how many clients."""

    route: str
    rule: str
    times: int
    clients: int


@dataclass(frozen=True, slots=True)
class Client:
    """Who was refused by a rule, from which address at first, how often, and in which minute last."""

    who: str
    rule: str
    address: str
    times: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """The breaches of the last 24 hours; the clients are the latest, the lines the largest, and not all of them."""

    at: datetime
    hours: list[Hour] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)


DAY = TypeAdapter(Day)


def read(session: Session) -> Day:
    """Return them, with a value for each hour; raises SQLAlchemy's errors."""
    found = DAY.validate_python(session.scalars(READ, {"lines": LINES}).one())
    lines = [replace(line, hours=every_hour(line.hours, found.at)) for line in found.lines]
    return replace(found, hours=every_hour(found.hours, found.at), lines=lines)


def every_hour(known: list[Hour], at: datetime) -> list[Hour]:
    """Return each hour up to this moment, also those in which nobody was refused."""
    times = {hour.at: hour.times for hour in known}
    this_hour = at.replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    return [Hour(hour, times.get(hour, 0)) for hour in hours]
