"""Addresses that are free, and those that are not."""

import socket
from pathlib import Path

import pytest

from osis_document_server.operation.addresses import AddressUnavailableError, Reservation


def _listen(address: str, *, shares: bool) -> socket.socket:
    host, _, port = address.rpartition(":")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shares:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((host, int(port)))
    listener.listen()
    return listener


def test_any_free_port_becomes_a_port_that_stays_the_same() -> None:
    with Reservation("127.0.0.1:0") as reservation:
        assert int(reservation.address.removeprefix("127.0.0.1:")) > 0
        with _listen(reservation.address, shares=True), _listen(reservation.address, shares=True):
            pass


def test_an_address_is_reserved_once() -> None:
    with Reservation("127.0.0.1:0") as reservation, pytest.raises(AddressUnavailableError, match="another program does"):
        Reservation(reservation.address)


def test_an_address_is_free_again_afterwards() -> None:
    with Reservation("localhost:0") as reservation:
        address = reservation.address
    with Reservation(address) as again:
        assert again.address == address


@pytest.mark.parametrize("shares", [False, True])
def test_an_address_that_somebody_listens_on_is_refused(shares: bool) -> None:
    with Reservation("127.0.0.1:0") as reservation:
        address = reservation.address
    with _listen(address, shares=shares), pytest.raises(AddressUnavailableError, match=f"{address}: another program does"):
        Reservation(address)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("192.0.2.7:50051", "it is not this host's"),
        ("no-such-host.invalid:50051", "cannot be resolved"),
        ("unix:/no/such/folder/server.sock", "there is no folder /no/such/folder"),
    ],
)
def test_an_address_that_cannot_be_had_says_why(address: str, why: str) -> None:
    with pytest.raises(AddressUnavailableError, match=why):
        Reservation(address)


def test_a_socket_file_is_refused_while_somebody_answers_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket has to be short
    with Reservation("unix:server.sock"):
        pass
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("server.sock")
        listener.listen()
        with pytest.raises(AddressUnavailableError, match="another program does"):
            Reservation("unix:server.sock")
    with Reservation("unix:server.sock"):  # left behind by one that was killed
        pass


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("precious")
    with pytest.raises(AddressUnavailableError, match="no socket"):
        Reservation(f"unix:{tmp_path}/notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "precious"
