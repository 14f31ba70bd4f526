"""People with accounts, signed in without the pages for it."""

from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from web.accounts.current import sign_in
from web.extensions import db
from web.models import Account

PATH = "/test/sign-in/<email>"


def let_people_in(app: Flask) -> None:
    """Give the application a page that signs its visitor in, and makes the account if need be."""

    def enter(email: str) -> str:
        session, now = db.session(), datetime.now(UTC)
        account = session.scalar(select(Account).where(Account.email == email))
        if account is None:
            account = Account(email=email, password_hash="none", created_at=now)
            session.add(account)
            session.flush()
            session.refresh(account)
        sign_in(account, now)
        session.commit()
        return email

    app.add_url_rule(PATH, "enter", enter)


def somebody(app: Flask, email: str = "ada@example.org", agent: str = "Firefox") -> FlaskClient:
    """Return a browser in which they are signed in."""
    client = app.test_client()
    answer = client.get(PATH.replace("<email>", email), headers={"User-Agent": agent})
    assert answer.status_code == 200, answer.text
    return client


def token(client: FlaskClient) -> dict[str, str]:
    """Return the header that changes need."""
    answer = client.get("/api/v1/me")
    assert answer.json, answer.text
    return {"X-CSRFToken": answer.json["csrf_token"]}
