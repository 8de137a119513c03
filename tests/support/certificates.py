"""Certificates of the tests' own authorities, as PEM files."""

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

from osis_document_client import Client, ClientConfig
from tests.support.server import KEYS


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: Path
    key: Path

    @property
    def der(self) -> bytes:
        """The certificate itself, as it is on the wire."""
        first, end, _ = self.certificate.read_text().partition("-----END CERTIFICATE-----")
        return ssl.PEM_cert_to_DER_cert(first + end)


class Authority:
    """An authority that issues certificates."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca = trustme.CA()
        #: Its own certificate.
        self.file = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str, *identities: str) -> Issued:
        """A certificate for these host names and addresses, in files that have `name` in theirs."""
        issued = self._ca.issue_cert(*(identities or ("localhost", "127.0.0.1")))
        files = Issued(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        files.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(files.key))
        return files


def client(target: str, *, caller: str = "alpha", trusts: Authority | None = None, shows: Issued | None = None) -> Client:
    """The client library, with the key of one of `KEYS`; without any of the two it speaks plain text."""
    return Client(
        ClientConfig(
            target=target,
            api_key=KEYS[caller] if caller else "",
            tls_ca_file=trusts.file if trusts else None,
            tls_cert_file=shows.certificate if shows else None,
            tls_key_file=shows.key if shows else None,
            timeout_seconds=10,
        )
    )


def variables(*, trusts: Authority, shows: Issued | None = None) -> dict[str, str]:
    """The environment of a client program."""
    own = {"CERT": str(shows.certificate), "KEY": str(shows.key)} if shows else {}
    return {f"OSIS_DOCUMENT_CLIENT_TLS_{name}": value for name, value in {"CA": str(trusts.file), **own}.items()}


def shown_by(target: str) -> bytes:
    """The certificate that a server shows to a new connection."""
    host, _, port = target.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((host, int(port)), timeout=10) as plain, context.wrap_socket(plain) as wrapped:
        shown = wrapped.getpeercert(binary_form=True)
        assert shown is not None
        return shown
