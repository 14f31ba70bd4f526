"""An empty repository whose key is cheap to open: that it is dear to guess is restic's matter, and proven there.

restic asks a third of a second of work for a password, in each of its calls. Tests make thousands of them, and
what they test is what is done with a repository. A key's file as restic writes it: its design document, "Keys,
Encryption and MAC".
"""

import hashlib
import io
import json
import os
import tarfile
from base64 import b64decode, b64encode
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.poly1305 import Poly1305

CHEAP = {"N": 2, "r": 1, "p": 1}
KEYS = "repository/keys/"


def cheapened(repository: bytes, password: str) -> bytes:
    """Return the archive of a repository with its one key sealed anew under a cheap derivation."""
    made = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(repository)) as before,
        tarfile.open(fileobj=made, mode="w") as after,
    ):
        for member in before:
            content = before.extractfile(member)
            read = content.read() if content else b""
            if content and member.name.startswith(KEYS):
                read = _sealed_cheaply(json.loads(read), password)
                member.name, member.size = KEYS + hashlib.sha256(read).hexdigest(), len(read)
            after.addfile(member, io.BytesIO(read))
    return made.getvalue()


def _sealed_cheaply(key: dict[str, Any], password: str) -> bytes:
    sealed = b64decode(key["data"])
    iv, ciphertext, tag = sealed[:16], sealed[16:-16], sealed[-16:]
    encryption, mac = _derived(key, password)
    assert _tag(mac, iv, ciphertext) == tag, "the key is not restic's, or the password is another"
    master, iv = _crypted(encryption, iv, ciphertext), os.urandom(16)
    encryption, mac = _derived(key | CHEAP, password)
    ciphertext = _crypted(encryption, iv, master)
    sealed = iv + ciphertext + _tag(mac, iv, ciphertext)
    return json.dumps(key | CHEAP | {"data": b64encode(sealed).decode()}).encode()


def _derived(key: dict[str, Any], password: str) -> tuple[bytes, bytes]:
    """Return the key of the cipher, and that of the authentication."""
    scrypt = Scrypt(b64decode(key["salt"]), length=64, n=key["N"], r=key["r"], p=key["p"])
    derived = scrypt.derive(password.encode())
    return derived[:32], derived[32:]


def _crypted(key: bytes, iv: bytes, text: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor().update(text)


def _tag(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Return the Poly1305-AES of the text: its one-time key is `r` and the encrypted nonce."""
    k, r = key[:16], key[16:]
    pad = Cipher(algorithms.AES(k), modes.ECB()).encryptor().update(iv)  # noqa: S305 one block
    return Poly1305.generate_tag(r + pad, ciphertext)
