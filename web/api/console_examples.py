"""Examples of what the console tells programs."""

from typing import Any

AT, EARLIER = "2027-03-01T09:30:00+00:00", "2027-03-01T09:12:44+00:00"

FINDINGS = {
    "at": AT,
    "well": False,
    "well_since": EARLIER,
    "findings": [
        {
            "weight": "degraded",
            "title": "Mail is held back: relay",
            "words": "smtp.example.org does not answer (for 7 minutes)",
            "action": "See the mail",
            "command": "make mail-status",
        }
    ],
}
PERSON = {
    "id": 7,
    "email": "ada@example.org",
    "role": "member",
    "created_at": EARLIER,
    "locked_at": None,
}
PEOPLE = {"items": [PERSON], "next": None}
SIGN_INS: dict[str, Any] = {
    "items": [
        {
            "id": 42,
            "started_at": EARLIER,
            "seen_at": AT,
            "expires_at": "2027-03-01T21:12:44+00:00",
            "address": "203.0.113.7",
            "agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0",
        }
    ],
    "next": None,
}
ALL_SIGN_INS = {
    "items": [
        {**one, "account_id": 7, "email": "ada@example.org", "role": "member"}
        for one in SIGN_INS["items"]
    ],
    "next": None,
}
LIMITS = {
    "at": AT,
    "refused": [{"who": "203.0.113.7", "rule": "sign-in by address", "until": AT}],
    "hours": [{"at": AT, "times": 12}],
    "lines": [{"by": "route", "name": "sign_in.submit", "hours": [{"at": AT, "times": 12}]}],
    "routes": [
        {"route": "sign_in.submit", "rule": "sign-in by address", "times": 12, "clients": 1}
    ],
    "clients": [
        {
            "who": "203.0.113.7",
            "rule": "sign-in by address",
            "address": "203.0.113.7",
            "times": 12,
            "last": AT,
        }
    ],
}
CACHE = {
    "shared": False,
    "use": [
        {
            "name": "web.status.page.show",
            "hits": 900,
            "stale": 10,
            "misses": 3,
            "refreshes": 10,
            "bypassed": 4,
            "errors": 0,
        }
    ],
    "kept": [{"name": "page  /", "bytes": 4200}],
}
DATABASE = {
    "at": AT,
    "version": "17.2",
    "revision": "0006",
    "head": "0006",
    "bytes": 12_000_000,
    "in_use": 1,
    "most": 30,
    "connections": [
        {
            "pid": 812,
            "program": "web",
            "state": "idle",
            "since": EARLIER,
            "state_since": AT,
            "tls": "TLSv1.3",
            "cipher": "TLS_AES_256_GCM_SHA384",
            "statement": "SELECT version_num FROM alembic_version",
        }
    ],
    "others": {"keelson_mailer": 4},
    "tables": [{"name": "outbox", "bytes": 900_000, "bytes_of_rows": 600_000, "rows": 2000}],
}
CONFIGURATION = {
    "settings": [
        {
            "name": "SECRET_KEY",
            "value": "set, 43 characters",
            "origin": "file",
            "meaning": "signs cookies and form tokens; made by init",
        }
    ],
    "refused_in_production": [],
}
AUDIT_LOG = {
    "items": [
        {
            "id": 9,
            "at": AT,
            "email": "boss@example.org",
            "address": "203.0.113.7",
            "action": "account.lock",
            "subject": "ada@example.org",
            "detail": {},
            "request_id": "5f1c6c0e9d3a4b7f",
        }
    ],
    "next": None,
}
