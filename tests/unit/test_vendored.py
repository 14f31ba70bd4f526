"""What others wrote and we keep is what it says that it is."""

import hashlib
import re

from tests.conftest import ROOT

VENDOR = ROOT / "tests" / "browser" / "vendor"


def test_axe_is_the_version_and_has_the_sum_that_its_page_names() -> None:
    said = (VENDOR / "README.md").read_text(encoding="utf-8")
    content = (VENDOR / "axe.min.js").read_bytes()
    version = re.search(rb"axe v([\d.]+)", content)

    assert version
    assert f"axe-core) {version[1].decode()}," in said
    assert f"`{hashlib.sha256(content).hexdigest()}`" in said
