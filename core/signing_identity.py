"""The key pair and certificates with which this installation signs, made at first use.

One file holds all of it, so that it exists whole or not at all: the signing key with its
certificate, and the root certificate with its key, which renews the signing certificate.
"""

import datetime
import os
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.errors import ProvenanceError

DATA_DIR_VARIABLE = "FACELAB_DATA_DIR"
FILE_NAME = "signing_identity.pem"
ROOT_FILE_NAME = "root_certificate.pem"  # public; may be given to people who verify our files
ROOT_YEARS, LEAF_YEARS = 30, 10
DAY, YEAR = datetime.timedelta(days=1), datetime.timedelta(days=365.25)

Clock = Callable[[], datetime.datetime]


def utc_now() -> datetime.datetime:
    """The present moment, with its time zone."""
    return datetime.datetime.now(datetime.timezone.utc)


@dataclass(frozen=True)
class SigningIdentity:
    """PEM texts: private key of the leaf, its certificate, the root's certificate and key."""

    key: str
    certificate: str
    root_certificate: str
    root_key: str

    @property
    def chain(self) -> str:
        """Leaf, then root, as C2PA wants it."""
        return self.certificate + self.root_certificate

    def expires(self) -> datetime.datetime:
        """When the leaf certificate ends."""
        return x509.load_pem_x509_certificate(self.certificate.encode()).not_valid_after_utc


def data_dir() -> Path:
    """The user's data folder of FaceLab; environment variable FACELAB_DATA_DIR overrides it."""
    chosen = os.environ.get(DATA_DIR_VARIABLE)
    return Path(chosen or platformdirs.user_data_dir("FaceLab", appauthor=False)).expanduser()


def load_identity(folder: Path | None = None, clock: Clock = utc_now) -> SigningIdentity:
    """The installation's identity; made at first use, its certificate renewed before it expires.

    Args:
        folder: Where it lies; None takes `data_dir()`.
        clock: Tells the time.

    Raises:
        ProvenanceError: The folder cannot be written, or the file in it is damaged.
    """
    path = (folder or data_dir()) / FILE_NAME
    try:
        if not path.exists():
            _publish(path, new_identity(clock), replace=False)
        identity = _parse(path)
        if identity.expires() - clock() < DAY:
            identity = _renewed(identity, clock)
            _publish(path, identity, replace=True)
    except OSError as error:
        raise ProvenanceError(
            f"{path}: the signing key cannot be kept there ({error.strerror or error}); set "
            f"{DATA_DIR_VARIABLE} to a folder that can be written"
        ) from error
    return identity


def existing_root(folder: Path | None = None) -> str | None:
    """PEM of the installation's root certificate; None before the first signature."""
    path = (folder or data_dir()) / FILE_NAME
    try:
        return _parse(path).root_certificate if path.exists() else None
    except OSError as error:
        raise ProvenanceError(f"{path}: {error.strerror or error}; check your rights to it") \
            from error


def new_identity(clock: Clock = utc_now) -> SigningIdentity:
    """Makes a root and a leaf, each with a new EC P-256 key.

    The leaf follows the certificate profile of C2PA 2.x: critical key usage digitalSignature, one
    extended key usage (e-mail protection), key identifiers. The names tell installations apart by
    a random number and nothing about the user.
    """
    root_key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"FaceLab root {secrets.token_hex(4)}")
    public = root_key.public_key()
    builder = _certificate(name, name, public, clock(), ROOT_YEARS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    root = builder.sign(root_key, hashes.SHA256())
    return _with_leaf(_pem_key(root_key), _pem(root), clock)


def _renewed(identity: SigningIdentity, clock: Clock) -> SigningIdentity:
    """A new leaf under the same root, so that whoever trusts the root goes on doing so."""
    return _with_leaf(identity.root_key, identity.root_certificate, clock)


def _with_leaf(root_key: str, root_certificate: str, clock: Clock) -> SigningIdentity:
    signing_root_key = serialization.load_pem_private_key(root_key.encode(), None)
    root = x509.load_pem_x509_certificate(root_certificate.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    number = root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value.split()[-1]
    name = _name(f"FaceLab installation {number}")
    builder = _certificate(name, root.subject, key.public_key(), clock(), LEAF_YEARS)
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical)
    leaf = builder.sign(signing_root_key, hashes.SHA256())
    return SigningIdentity(_pem_key(key), _pem(leaf), root_certificate, root_key)


def _certificate(subject, issuer, public_key, now, years) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)  # clocks of other machines may be a little behind
        .not_valid_after(now + years * YEAR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "FaceLab"),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ])


def _key_usage(**used: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: used.get(name, False) for name in names})


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _pem_key(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _publish(path: Path, identity: SigningIdentity, *, replace: bool) -> None:
    """Writes the file for the owner only; without `replace` a file already there wins.

    Two processes that start at once thus end with one identity.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    text = identity.key + identity.certificate + identity.root_certificate + identity.root_key
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)
        else:
            _link_if_absent(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _link_if_absent(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links; a rename is the next best
        if not path.exists():
            os.replace(temporary, path)


def _parse(path: Path) -> SigningIdentity:
    ends = ("-----END PRIVATE KEY-----\n", "-----END CERTIFICATE-----\n",
            "-----END CERTIFICATE-----\n", "-----END PRIVATE KEY-----\n")
    rest, parts = path.read_text(encoding="ascii", errors="replace"), []
    for end in ends:
        part, found, rest = rest.partition(end)
        parts.append(part + found)
    identity = SigningIdentity(*parts)
    try:
        serialization.load_pem_private_key(identity.key.encode(), None)
        serialization.load_pem_private_key(identity.root_key.encode(), None)
        x509.load_pem_x509_certificate(identity.certificate.encode())
        x509.load_pem_x509_certificate(identity.root_certificate.encode())
    except ValueError as error:
        raise ProvenanceError(f"{path}: the signing key file is damaged; move it away, and the "
                              "next signature makes a new one") from error
    return identity
