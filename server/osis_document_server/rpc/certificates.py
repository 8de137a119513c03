"""The server's certificate: read and checked at start, and again whenever its files have changed."""

import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

_log = structlog.get_logger(__name__)

#: What changes when a file is written or replaced.
_State = tuple[tuple[int, int, int], ...]


class CertificateError(ValueError):
    """A file cannot be used. The message says which and why.

    Args:
        message: what is wrong, and what to do.
        file: which of the files it is about, as ``CertificateFiles`` names it.
    """

    def __init__(self, message: str, *, file: str) -> None:
        super().__init__(message)
        self.file = file


@dataclass(frozen=True, kw_only=True)
class CertificateFiles:
    """Where the PEM files are."""

    #: The server's certificate, then those between it and its authority.
    certificate: Path
    #: Its private key.
    key: Path
    #: Authorities, one of which must have signed the certificate that each client shows. None: clients need none.
    client_ca: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Returns what a gRPC server needs. From then on, new connections get what the files say when they are made.

        Raises:
            CertificateError: a file is missing, cannot be read, or does not fit.
        """
        fresh = _Fresh(self)
        return grpc.dynamic_ssl_server_credentials(
            fresh.configuration,
            fresh.changed,  # type: ignore[arg-type]  # None is an answer, whatever the stubs say
            require_client_authentication=self.client_ca is not None,
        )

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Reads and checks the files.

        Raises:
            CertificateError: a file is missing, cannot be read, or does not fit.
        """
        certificate, key = _read(self.certificate, file="certificate"), _read(self.key, file="key")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if b"CERTIFICATE" not in certificate:
            raise CertificateError("there is no certificate in it; it must be a PEM file", file="certificate")
        if b"PRIVATE KEY" not in key:
            raise CertificateError("there is no private key in it; it must be a PEM file", file="key")
        if b"ENCRYPTED" in key:
            raise CertificateError(
                "the key is protected by a passphrase; store it without one, readable by the server alone", file="key"
            )
        try:
            context.load_cert_chain(self.certificate, self.key)
        except ssl.SSLError as exc:
            if exc.reason == "KEY_VALUES_MISMATCH":
                raise CertificateError(
                    f"the key is not the one of the certificate in {self.certificate}; name the two that belong together",
                    file="key",
                ) from exc
            raise CertificateError(f"it cannot be used ({exc.reason or exc}); make it anew", file="certificate") from exc
        client_ca = None
        if self.client_ca is not None:
            client_ca = _read(self.client_ca, file="client_ca")
            try:
                context.load_verify_locations(self.client_ca)
            except ssl.SSLError as exc:
                raise CertificateError("there is no certificate in it; it must be a PEM file", file="client_ca") from exc
        return grpc.ssl_server_certificate_configuration([(key, certificate)], root_certificates=client_ca)

    def state(self) -> _State:
        """Returns what is another when a file was written or replaced.

        Raises:
            OSError: a file is not there.
        """
        files = [self.certificate, self.key] + ([self.client_ca] if self.client_ca is not None else [])
        return tuple((status.st_ino, status.st_mtime_ns, status.st_size) for status in (file.stat() for file in files))


class _Fresh:
    """The certificate as it was last read."""

    def __init__(self, files: CertificateFiles) -> None:
        self._files = files
        self._state: _State | None = None
        with suppress(OSError):  # reading says which file it is
            self._state = files.state()
        self.configuration = files.read()

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Returns what the files say now if that is something new. Called for every connection, so it must not fail."""
        try:
            state = self._files.state()
            if state == self._state:
                return None
            configuration = self._files.read()
            if state != self._files.state():
                return None  # they are being written at this moment
        except (OSError, CertificateError) as exc:
            # Certificate and key are replaced one after the other: the next connection may find them complete.
            _log.warning("the new certificate cannot be used, the old one stays", error=str(exc))
            return None
        self._state, self.configuration = state, configuration
        _log.info("certificate renewed", file=str(self._files.certificate))
        return configuration


def _read(path: Path, *, file: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise CertificateError(f"it cannot be read ({exc.strerror}); correct the path, or who may read it", file=file) from exc
