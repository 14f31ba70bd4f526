"""Whether edge answers, over TLS with its certificate verified, as it does to people."""

import http.client
import ssl
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from flask import current_app

PATH = "/edge-healthz"
TIMEOUT_SECONDS = 3.0


def check() -> str | None:
    """Return what is wrong with edge, or None."""
    url = current_app.config["EDGE_URL"].rstrip("/") + PATH
    try:
        context = ssl.create_default_context(cafile=current_app.config["EDGE_CA_FILE"])
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
        with opener.open(url, timeout=TIMEOUT_SECONDS):
            return None
    except HTTPError as error:
        with error:
            return f"answered {error.code}"
    except URLError as error:
        return f"no answer ({error.reason})"
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({type(error).__name__})"
