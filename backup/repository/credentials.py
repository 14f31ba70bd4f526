"""How we get in: what each kind of target is given, and what is missing for it."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backup.repository.targets import Target

if TYPE_CHECKING:  # the settings ask us what contradicts
    from backup.settings import Settings

SSH_OPTIONS = (
    "StrictHostKeyChecking=yes",
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "GlobalKnownHostsFile=/dev/null",
    "ConnectTimeout=10",
    "ServerAliveInterval=15",
)


def given(target: Target, settings: "Settings", keys: Path) -> Target:
    """Return the target with all that it takes to get in; `keys` is a private folder for files."""
    if target.kind == "sftp":
        return _sftp(target, settings, keys)
    if target.kind == "rest":
        return _tls(_rest(target, settings), settings)
    if target.kind == "s3":
        return _tls(_s3(target, settings), settings)
    return target


def contradictions(kinds: set[str], settings: "Settings") -> list[str]:
    """Return a line for each setting that a kind of target needs and does not have."""
    missing = {
        "BACKUP_SFTP_KEY": ("sftp", settings.backup_sftp_key, "put the private key there"),
        "BACKUP_SFTP_KNOWN_HOSTS": (
            "sftp",
            (settings.backup_sftp_known_hosts or "").strip(),
            "put there what `ssh-keyscan -p PORT HOST` prints, once it is compared with the server's own",
        ),
        "BACKUP_S3_ACCESS_KEY_ID": ("s3", settings.backup_s3_access_key_id, "set the account"),
        "BACKUP_S3_SECRET_ACCESS_KEY": (
            "s3",
            settings.backup_s3_secret_access_key,
            "put its secret key there",
        ),
    }
    problems = [
        f"{name}: not set, and BACKUP_TARGETS has {kind}; {cure}"
        for name, (kind, value, cure) in missing.items()
        if kind in kinds and not value
    ]
    if bool(settings.backup_rest_username) != bool(settings.backup_rest_password):
        problems.append(
            "BACKUP_REST_USERNAME, BACKUP_REST_PASSWORD: one without the other; set both, or none"
        )
    ca_file = settings.backup_ca_file
    if ca_file and kinds & {"rest", "s3"} and not os.access(ca_file, os.R_OK):
        problems.append(
            f"BACKUP_CA_FILE: {ca_file} can't be read; put the authority's certificate there, as PEM"
        )
    return problems


def _sftp(target: Target, settings: "Settings", keys: Path) -> Target:
    key = settings.backup_sftp_key.get_secret_value() if settings.backup_sftp_key else ""
    files = {"sftp_key": key, "sftp_known_hosts": settings.backup_sftp_known_hosts or ""}
    for name, content in files.items():
        (keys / name).write_text(content.rstrip() + "\n", encoding="utf-8")  # OpenSSH wants the end
        (keys / name).chmod(0o600)
    own = (
        f"IdentityFile={keys / 'sftp_key'}",
        f"UserKnownHostsFile={keys / 'sftp_known_hosts'}",
    )
    ssh = ("-F", "none", *(f"-o{option}" for option in (*SSH_OPTIONS, *own)))
    return replace(target, ssh=ssh, options=(f"--option=sftp.args={' '.join(ssh)}",))


def _rest(target: Target, settings: "Settings") -> Target:
    account = {}
    if settings.backup_rest_username and settings.backup_rest_password:
        account = {
            "RESTIC_REST_USERNAME": settings.backup_rest_username,
            "RESTIC_REST_PASSWORD": settings.backup_rest_password.get_secret_value(),
        }
    return replace(target, environment=account, append_only=settings.backup_rest_append_only)


def _s3(target: Target, settings: "Settings") -> Target:
    secret = settings.backup_s3_secret_access_key
    account = {
        "AWS_ACCESS_KEY_ID": settings.backup_s3_access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else "",
    }
    if settings.backup_s3_region:
        account["AWS_DEFAULT_REGION"] = settings.backup_s3_region
    return replace(target, environment=account)


def _tls(target: Target, settings: "Settings") -> Target:
    if not settings.backup_ca_file:
        return target
    ca_file = settings.backup_ca_file
    return replace(
        target, ca_file=ca_file, options=(*target.options, f"--cacert={os.fspath(ca_file)}")
    )
