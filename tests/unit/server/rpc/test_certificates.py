"""Certificate files: checked when they are read, and read again when they have changed."""

from pathlib import Path

import pytest
import trustme

from osis_document_server.rpc.certificates import CertificateError, CertificateFiles, _Fresh


def _issue(folder: Path, name: str) -> CertificateFiles:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    files = CertificateFiles(
        certificate=folder / f"{name}.pem", key=folder / f"{name}.key", client_ca=folder / f"{name}-authority.pem"
    )
    assert files.client_ca is not None
    files.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(files.key))
    authority.cert_pem.write_to_path(str(files.client_ca))
    return files


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return _issue(tmp_path, "good")


def test_files_that_belong_together_make_credentials(files: CertificateFiles) -> None:
    assert files.credentials() is not None
    assert CertificateFiles(certificate=files.certificate, key=files.key).credentials() is not None


@pytest.mark.parametrize("file", ["certificate", "key", "client_ca"])
@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), ("a folder", "directory"), (b"", "there is no"), (b"\x00\xff", "there is no")],
    ids=["missing", "folder", "empty", "binary"],
)
def test_a_file_that_cannot_be_used_is_named(files: CertificateFiles, file: str, content: bytes | str | None, why: str) -> None:
    path: Path = getattr(files, file)
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()

    with pytest.raises(CertificateError, match=why) as caught:
        files.read()

    assert caught.value.file == file


def test_a_key_of_another_certificate_is_named(files: CertificateFiles, tmp_path: Path) -> None:
    other = _issue(tmp_path, "other")
    with pytest.raises(CertificateError, match="not the one of the certificate") as caught:
        CertificateFiles(certificate=files.certificate, key=other.key).read()
    assert caught.value.file == "key"


def test_a_key_with_a_passphrase_is_named(files: CertificateFiles) -> None:
    files.key.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(CertificateError, match="passphrase") as caught:
        files.read()
    assert caught.value.file == "key"


def test_a_certificate_that_is_broken_is_named(files: CertificateFiles) -> None:
    files.certificate.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(CertificateError) as caught:
        files.read()
    assert caught.value.file == "certificate"


def test_new_files_are_taken_once_and_half_of_them_never(files: CertificateFiles, tmp_path: Path) -> None:
    fresh, new = _Fresh(files), _issue(tmp_path, "new")
    assert fresh.changed() is None

    new.certificate.replace(files.certificate)
    assert fresh.changed() is None, "the key is still the old one"
    new.key.replace(files.key)

    assert fresh.changed() is not None
    assert fresh.changed() is None
    files.key.unlink()
    assert fresh.changed() is None, "the one that was read stays"
