"""For whom a request counts."""

import hmac
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from flask import current_app, request
from flask.globals import request_ctx

from web.addresses import AddressError, normalize
from web.sessions.store import SessionStoreError

NETWORK_BITS = 64  # what one household or server is given, to use as many addresses of as it likes
LONGEST_KEY = 64  # of what is no IP address; a proxy may say anything


def client() -> str:
    """Return the client's address; of IPv6, its network."""
    return of_address(request.remote_addr or "")


def of_address(address: str) -> str:
    """Return for whom a request from this address counts."""
    address = address or "unknown"
    if address.count(":") == 1:  # some proxies write the port, which differs with each connection
        address = address.partition(":")[0]
    return network(address) if ":" in address else address[:LONGEST_KEY]


def network(address: str) -> str:
    """Return the network of an IPv6 address; an IPv4 address written so is that address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:LONGEST_KEY]
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), NETWORK_BITS), strict=False))


def signed_in() -> int | None:
    """Return the account of the session; without its cookie no session is opened.

    The answer does not depend on it, so the session is not marked as read: that would make
    every page personal.
    """
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        return None
    session = request_ctx._session  # noqa: SLF001 asking Flask for the session marks it
    try:
        return session.get("account") if session is not None else None
    except SessionStoreError:  # this page may do without; one that may not says what is wrong
        return None


def account() -> str:
    """Return the account that is signed in."""
    return f"account {signed_in()}"


def named_account(field: str) -> str | None:
    """Return the account that the form's field names, if it is an address at all.

    A hash, as the key goes to the log and into stores; keyed, as addresses can be guessed.
    """
    try:
        address = normalize(request.form.get(field, "")).lower()
    except AddressError:
        return None
    key = current_app.config["SECRET_KEY"].encode()
    return "account " + hmac.new(key, f"limits {address}".encode(), sha256).hexdigest()[:32]
