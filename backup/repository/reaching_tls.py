"""Reaching a server over TLS: a handshake of our own, which tells exactly what is wrong with a certificate."""

import base64
import http.client
import socket
import ssl

from backup.repository.errors import TargetError
from backup.repository.targets import Target

SECONDS = 10.0
EXPIRED, NOT_YET, OTHER_HOST = 10, 9, 62  # OpenSSL's X509_V_ERR_...
REFUSED = {401, 403}
CURES = {
    EXPIRED: "its certificate has expired; renew it there",
    NOT_YET: "its certificate is not valid yet; is a clock wrong, here or there?",
    OTHER_HOST: "its certificate is for another host; write the name that is in it into BACKUP_TARGETS",
}
STRANGER = "its certificate is from an authority that we do not know; put that into BACKUP_CA_FILE"


def shake_hands(target: Target) -> None:
    """Connect, verify the certificate, and where it is a rest server log in; raise a TargetError if not so."""
    where = f"target {target.name}: {target.url.hostname}:{target.port}"
    connection = http.client.HTTPSConnection(
        target.url.hostname or "", target.port, timeout=SECONDS, context=_context(target)
    )
    try:
        connection.connect()
        if target.kind == "rest":
            _log_in(connection, target, where)
    except ssl.SSLCertVerificationError as error:
        reason = CURES.get(error.verify_code, STRANGER)
        message = f"{where}: {reason} ({error.verify_message})"
        raise TargetError(message) from error
    except ssl.SSLError as error:
        message = (
            f"{where}: it does not speak TLS as we do ({error.reason or error}); is the port right?"
        )
        raise TargetError(message) from error
    except OSError as error:
        message = f"{where}: {unreachable(error)}"
        raise TargetError(message) from error
    except http.client.HTTPException as error:
        message = f"{where}: it does not answer as HTTP has it ({error}); is the port right?"
        raise TargetError(message) from error
    finally:
        connection.close()


def unreachable(error: OSError) -> str:
    """Return why no connection came about, and what to look at."""
    if isinstance(error, socket.gaierror):
        return f"its name is not known ({error.strerror}); is it right in BACKUP_TARGETS?"
    if isinstance(error, TimeoutError):
        return f"it did not answer within {SECONDS:.0f} s; is it up, and does a firewall let us?"
    return f"it can't be reached ({error.strerror or error}); is it up, and the port right?"


def _context(target: Target) -> ssl.SSLContext:
    """Return what trusts whom restic trusts, and is no stricter than it about the form."""
    try:
        context = ssl.create_default_context(cafile=target.ca_file)
    except OSError as error:
        message = f"target {target.name}: BACKUP_CA_FILE: {target.ca_file} can't be read ({error})"
        raise TargetError(message) from error
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _log_in(connection: http.client.HTTPSConnection, target: Target, where: str) -> None:
    user = target.environment.get("RESTIC_REST_USERNAME", "")
    password = target.environment.get("RESTIC_REST_PASSWORD", "")
    account = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {account}"} if user else {}
    connection.request("HEAD", f"{target.url.path.rstrip('/')}/config", headers=headers)
    status = connection.getresponse().status
    if status in REFUSED:
        message = (
            f"{where}: it refuses our login ({status});"
            " are BACKUP_REST_USERNAME and BACKUP_REST_PASSWORD right, and is the path that user's?"
        )
        raise TargetError(message)
