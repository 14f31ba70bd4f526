"""How the values of web's settings are written; a ValueError says what is wrong with one."""

import re
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import SplitResult, parse_qs, urlsplit

from limits import parse_many
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from web.addresses import AddressError, normalize

ANY_ORIGIN = ("*",)
IN_MEMORY = "memory://"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SHORTEST_SECRET_KEY = 32
CLIENT_SCHEMES = {"valkey": "redis", "valkeys": "rediss", "redis": "redis", "rediss": "rediss"}
VALKEY_OPTIONS = {"ssl_ca_certs", "ssl_cert_reqs", "ssl_check_hostname"}
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"({_LABEL}\.)*(?![0-9]+$){_LABEL}")  # the last one in digits: an IP address
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


def strong_key(key: SecretStr) -> SecretStr:
    """Return the key if it is too long to be guessed."""
    length = len(key.get_secret_value())
    if length < SHORTEST_SECRET_KEY:
        message = f"has {length} characters; at least {SHORTEST_SECRET_KEY} are needed"
        raise ValueError(message)
    return key


def known_origin(origin: str) -> str:
    """Return the origin, or * for all."""
    if origin != "*" and not _ORIGIN.fullmatch(origin):
        message = f"{origin!r} is not an origin; write https://HOST or https://HOST:PORT, no path"
        raise ValueError(message)
    return origin


def known_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Return exact origins, or * alone."""
    if "*" in origins and origins != ANY_ORIGIN:
        raise ValueError("* stands for every origin already; write either * or exact origins")
    return origins


def known_valkey(url: SecretStr) -> SecretStr:
    """Return the address as the client library writes it: redis:// and, with TLS, rediss://."""
    scheme, separator, rest = url.get_secret_value().partition("://")
    if not separator or scheme not in CLIENT_SCHEMES or not is_address(f"http://{rest}"):
        raise ValueError("not an address of Valkey; write valkeys://USER:PASSWORD@HOST:PORT")
    unknown = sorted(parse_qs(urlsplit(f"http://{rest}").query).keys() - VALKEY_OPTIONS)
    if unknown:
        known = ", ".join(sorted(VALKEY_OPTIONS))
        message = f"has {', '.join(unknown)} after its ?; only {known} may stand there"
        raise ValueError(message)
    return SecretStr(f"{CLIENT_SCHEMES[scheme]}://{rest}")


def is_address(url: str) -> bool:
    """Return whether this names a host, and a port if it names any."""
    try:
        split_address(url)
    except ValueError:
        return False
    return True


def is_verified(valkey: str) -> bool:
    """Return whether nobody between here and Valkey can read along, or be taken for it."""
    parts = urlsplit(valkey)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return parts.hostname in LOOPBACK or (
        parts.scheme == "rediss"
        and options.get("ssl_cert_reqs", "required") == "required"
        and options.get("ssl_check_hostname", "true").lower() == "true"
    )


def known_limit_store(uri: SecretStr) -> SecretStr:
    """Return memory://, valkey:// for the one that VALKEY_URL names, or the address of another."""
    if uri.get_secret_value() in {IN_MEMORY, "valkey://"}:
        return uri
    try:
        return known_valkey(uri)
    except ValueError:
        raise ValueError("not a store; write memory://, or valkey:// for VALKEY_URL") from None


def split_list(value: object) -> object:
    """Return the parts of a string that commas or semicolons separate."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in re.split("[,;]", value) if part.strip())


def known_limits(limits: str) -> str:
    """Return the limits as they were written."""
    try:
        parse_many(limits)
    except ValueError:
        raise ValueError("not rate limits; write for example 200 per day;50 per hour") from None
    return limits


def known_base_url(url: str) -> str:
    """Return the address in lower case, without a slash at its end: mailed links begin with it."""
    parts = split_address(url)
    host = parts.hostname or ""
    if "@" in parts.netloc:
        raise ValueError("has a user in it, whom every mail would tell; write https://HOST")
    if not is_host(host):
        message = f"{host!r} is not a host; write an IP address, or a name with punycode (xn--...)"
        raise ValueError(message)
    address = f"{parts.scheme}://{parts.netloc.lower()}"
    if url.lower().rstrip("/") != address:  # also what urlsplit drops: line breaks, an empty query
        raise ValueError(
            "has more than a host; web answers at the root of one only, so write https://HOST"
        )
    return address


def split_address(url: str) -> SplitResult:
    """Return the parts of an http address whose port, if it has one, is a port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        message = f"{error}; write https://HOST or https://HOST:PORT"
        raise ValueError(message) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an address; write https://HOST")
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("has a colon, but not a port from 1 to 65535 after it")
    return parts


def is_host(host: str) -> bool:
    """Return whether this is an IP address, or a name as the DNS takes it."""
    try:
        ip_address(host)
    except ValueError:
        return _NAME.fullmatch(host) is not None
    return True


def known_sender(sender: str) -> str:
    """Return the sender as it was written: an address, with or without a name."""
    if not sender.isprintable():
        raise ValueError("has a line break or another control character in it")
    try:
        normalize(parseaddr(sender)[1])
    except AddressError:
        raise ValueError("not a sender; write NAME@HOST, or A Name <NAME@HOST>") from None
    return sender


SecretKey = Annotated[SecretStr, AfterValidator(strong_key)]
BaseUrl = Annotated[str, AfterValidator(known_base_url)]
Sender = Annotated[str, AfterValidator(known_sender)]
Limits = Annotated[str, AfterValidator(known_limits)]
ValkeyUrl = Annotated[SecretStr, AfterValidator(known_valkey)]
LimitStore = Annotated[SecretStr, AfterValidator(known_limit_store)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(known_origin)], ...],
    NoDecode,
    BeforeValidator(split_list),
    AfterValidator(known_origins),
]
