"""The web application as the tests build it."""

import atexit
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from web.app import create_app
from web.settings import Settings

# A socket that is not there: refused at once, and without any network.
NO_DATABASE = "postgresql+psycopg2://nobody@/nothing?host=/nonexistent"
SECRET_KEY = "0123456789abcdef0123456789abcdef"


@cache
def session_folder() -> Path:
    """Return a folder of this process alone, which is removed at its end."""
    folder = tempfile.mkdtemp(prefix="keelson-test-sessions-")
    atexit.register(shutil.rmtree, folder)
    return Path(folder)


def some_settings(**given: object) -> Settings:
    """Return complete settings for development; `given` changes them."""
    complete: dict[str, object] = {
        "database_url": NO_DATABASE,
        "secret_key": SECRET_KEY,
        "session_file_dir": session_folder(),
        "trusted_proxies": 0,
        **given,
    }
    return Settings.read(**complete)


def an_app(**given: object) -> Flask:
    """Return the application, built from such settings."""
    return create_app(some_settings(**given))


def form_token(page: TestResponse) -> str:
    """Return the token of the form on this page."""
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


def send_form(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Open the form at `path` and send it, as a browser does."""
    token = form_token(client.get(path))
    return client.post(path, data={"csrf_token": token, **fields})
