"""Static files as web serves them: in development, and in a deploy to pages of another version."""

from pathlib import Path

from flask import Flask, Response, abort, current_app, send_file

from web.assets.static_files import StaticFiles

FOLDER = Path(__file__).parent.parent / "static"
AT = "/static/"
ONE_YEAR = 31_536_000
ONE_HOUR = 3600


def init_app(app: Flask, *, edited: bool) -> None:
    """Serve and link the static files; where they are `edited`, each change shows at once."""
    app.extensions["static_files"] = StaticFiles(FOLDER, edited=edited)
    app.add_url_rule(f"{AT}<path:name>", "static", serve)
    app.add_url_rule("/favicon.ico", "favicon", favicon)
    app.add_template_global(static_url)


def static_files() -> StaticFiles:
    """Return the static files of this application."""
    files: StaticFiles = current_app.extensions["static_files"]
    return files


def static_url(name: str) -> str:
    """Return the address of a static file, under the name that holds its hash."""
    return AT + static_files().hashed_name(name)  # each page has some, and url_for takes its time


def serve(name: str) -> Response:
    """Answer with the file that has this name and this content, for ever."""
    path = static_files().find(name)
    if path is None:
        abort(404)
    response = send_file(path, max_age=ONE_YEAR)
    response.cache_control.public = True
    response.cache_control.immutable = True
    return response


def favicon() -> Response:
    """Answer with the icon that browsers ask for beside what is no page of ours and links none."""
    response = send_file(FOLDER / "mark.svg", max_age=ONE_HOUR)
    response.cache_control.public = True
    return response
