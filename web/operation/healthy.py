"""The container's health check: exit 0 while web can do its work, else 1 with the reason."""

import sys
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

URL = "http://127.0.0.1:8000/readyz"
TIMEOUT_SECONDS = 4


def main() -> int:
    """Ask web itself."""
    try:
        with urlopen(URL, timeout=TIMEOUT_SECONDS):
            return 0
    except HTTPError as error:
        problem = error.read().decode(errors="replace")
    except (URLError, TimeoutError, ConnectionError) as error:
        problem = f"no answer from {URL}: {error}"
    print(problem)  # noqa: T201 for `docker inspect`
    return 1


if __name__ == "__main__":
    sys.exit(main())
