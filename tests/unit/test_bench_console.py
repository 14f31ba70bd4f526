"""What `make bench-console` measures: every page of the console, and of the API."""

import pytest
from flask import Flask

from bench.addresses import addresses
from tests.web_app import an_app

STREAMS = {
    "console.jobs.events",
    "console.notice_updates.events",
}  # they last as long as what they tell of


@pytest.fixture(scope="module")
def app() -> Flask:
    return an_app()


@pytest.mark.parametrize("beginning", ["/console", "/api/v1/"])
def test_every_page_is_measured(app: Flask, beginning: str) -> None:
    paths = [path for group in addresses("20260101-000000").values() for path in group]
    urls = app.url_map.bind("localhost")
    measured = {urls.match(path.partition("?")[0])[0] for path in paths}

    there = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(beginning) and "GET" in (rule.methods or ())
    }

    assert there - STREAMS - measured == set()
