"""The installation's key: made once, private, renewed, shared by processes that start at once."""

import datetime
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from core.errors import ProvenanceError
from core.signing_identity import FILE_NAME, data_dir, existing_root, load_identity

ROOT = Path(__file__).parents[2]
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)


def certificate(pem):
    return x509.load_pem_x509_certificate(pem.encode())


def extension(cert, oid):
    return cert.extensions.get_extension_for_oid(oid)


def test_leaf_follows_the_c2pa_certificate_profile(tmp_path):
    identity = load_identity(tmp_path)
    leaf, root = certificate(identity.certificate), certificate(identity.root_certificate)
    usage = extension(leaf, ExtensionOID.KEY_USAGE)
    assert usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign
    purposes = list(extension(leaf, ExtensionOID.EXTENDED_KEY_USAGE).value)
    assert purposes == [ExtendedKeyUsageOID.EMAIL_PROTECTION]
    assert not extension(leaf, ExtensionOID.BASIC_CONSTRAINTS).value.ca
    assert isinstance(leaf.public_key().curve, ec.SECP256R1)
    own = extension(root, ExtensionOID.SUBJECT_KEY_IDENTIFIER).value.digest
    issuer = extension(leaf, ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value.key_identifier
    assert issuer == own
    leaf.verify_directly_issued_by(root)
    assert extension(root, ExtensionOID.BASIC_CONSTRAINTS).value.ca


def test_leaf_is_valid_for_ten_years(tmp_path):
    leaf = certificate(load_identity(tmp_path, lambda: NOW).certificate)
    assert leaf.not_valid_after_utc.year == 2039 or leaf.not_valid_after_utc.year == 2040
    assert leaf.not_valid_before_utc < NOW


def test_second_load_gives_the_same_identity(tmp_path):
    assert load_identity(tmp_path) == load_identity(tmp_path)
    assert existing_root(tmp_path) == load_identity(tmp_path).root_certificate


def test_expired_leaf_is_renewed_under_the_same_root(tmp_path):
    first = load_identity(tmp_path, lambda: NOW)
    later = NOW + datetime.timedelta(days=11 * 365)
    second = load_identity(tmp_path, lambda: later)
    assert second.root_certificate == first.root_certificate
    assert second.certificate != first.certificate and second.key != first.key
    assert certificate(second.certificate).not_valid_after_utc > later
    certificate(second.certificate).verify_directly_issued_by(certificate(first.root_certificate))
    assert load_identity(tmp_path, lambda: later) == second


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
def test_only_the_owner_may_read_the_key(tmp_path):
    load_identity(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new" / FILE_NAME).stat().st_mode) == 0o600
    assert [p.name for p in (tmp_path / "new").iterdir()] == [FILE_NAME]


def test_processes_that_start_at_once_share_one_identity(tmp_path):
    code = ("from core.signing_identity import load_identity; from pathlib import Path;"
            f"print(load_identity(Path({str(tmp_path)!r})).certificate)")
    children = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True,
                                 stdout=subprocess.PIPE) for _ in range(4)]
    texts = {child.communicate()[0].strip() for child in children}
    assert texts == {load_identity(tmp_path).certificate.strip()}


def test_damaged_key_file_is_an_error_and_is_kept(tmp_path):
    load_identity(tmp_path)
    path = tmp_path / FILE_NAME
    path.write_text(path.read_text()[:300])
    with pytest.raises(ProvenanceError, match="damaged"):
        load_identity(tmp_path)
    assert len(path.read_text()) == 300


def test_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ProvenanceError, match="FACELAB_DATA_DIR"):
        load_identity(tmp_path / "file" / "folder")


def test_environment_variable_chooses_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("FACELAB_DATA_DIR", str(tmp_path))
    assert data_dir() == tmp_path
    monkeypatch.delenv("FACELAB_DATA_DIR")
    assert data_dir().name == "FaceLab"
