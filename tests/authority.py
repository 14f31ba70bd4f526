"""Certificate authorities: some that nobody should trust, and the certificates that one signs."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
NO_ENCRYPTION = serialization.NoEncryption()


class Authority:
    """A key that signs certificates, and the certificate to trust it by."""

    def __init__(self, key: bytes, certificate: bytes) -> None:
        self._key = serialization.load_pem_private_key(key, password=None)
        self._certificate = x509.load_pem_x509_certificate(certificate)

    def signed(self, host: str, valid: timedelta = DAY) -> tuple[bytes, bytes]:
        """Return a certificate for a host, and its key, as PEM; valid for a negative time is expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(named(host))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * abs(valid))
            .not_valid_after(now + valid)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return pem(certificate), key_pem(key)


def another_authority() -> bytes:
    """Return the certificate, as PEM, of an authority that signed nothing."""
    return new_authority()[1]


def new_authority() -> tuple[bytes, bytes]:
    """Return the key and the certificate of a new authority, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named("Another authority"))
        .issuer_name(named("Another authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key_pem(key), pem(certificate)


def named(name: str) -> x509.Name:
    """Return a certificate's name with a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pem(certificate: x509.Certificate) -> bytes:
    """Return the certificate as files hold it."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the key as files hold it."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, NO_ENCRYPTION)
