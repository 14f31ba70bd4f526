"""The images that tests run: TEST_TAG lets two working copies test side by side on one engine."""

import os

TAG = os.environ.get("TEST_TAG", "test")


def image(part: str) -> str:
    """Return the name of a part's image, as scripts/images has built it."""
    return f"keelson-{part}:{TAG}"
