"""The client covers the contract, and every call carries key and deadline."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import pkgutil
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import ServiceDescriptor

import osis.document.v1
import osis_document_client
from osis.document.v1.document_pb2 import DocumentRef, ExpirationPolicy
from osis.document.v1.document_service_pb2 import ConfirmUpload, GetDocumentRequest, Hold
from osis.document.v1.token_service_pb2 import CreateTokenRequest, TokenPurpose, WantedPostProcess
from osis.document.v1.upload_service_pb2 import UploadResult
from osis_document_client import (
    Backoff,
    Client,
    ClientClosed,
    ClientConfig,
    DocumentNotFound,
    TokenSpent,
    Unavailable,
    _channel,
    from_struct,
    to_struct,
)
from osis_document_client._repeating import repeat

from .fake_service import API_KEY, Refusal, Service, make_server


def services_of_the_contract() -> list[tuple[ServiceDescriptor, ModuleType]]:
    """Every service of the generated package, with the module that has its stub."""
    found = []
    for info in pkgutil.iter_modules(osis.document.v1.__path__, "osis.document.v1."):
        if info.name.endswith("_pb2"):
            module = importlib.import_module(info.name)
            for service in module.DESCRIPTOR.services_by_name.values():
                found.append((service, importlib.import_module(f"{info.name}_grpc")))  # noqa: PERF401 - reads worse
    return found


def test_there_is_an_attribute_with_every_rpc_for_every_service(client: Client) -> None:
    attributes = {name for name, _ in inspect.getmembers(Client, lambda value: isinstance(value, property))}
    stubs = {type(getattr(client, name)): getattr(client, name) for name in attributes}

    assert services_of_the_contract()
    for service, module in services_of_the_contract():
        stub = stubs.pop(getattr(module, f"{service.name}Stub"), None)
        assert stub is not None, f"Client has no attribute for {service.name}"
        for method in service.methods:
            assert hasattr(stub, method.name), f"{service.name}.{method.name}"
    assert not stubs


def test_for_every_unary_rpc_it_is_decided_whether_grpc_repeats_it() -> None:
    decided = {
        f"{service}.{method}"
        for methods in (_channel.IDEMPOTENT_METHODS, _channel.REPEATED_BY_CALLERS)
        for service, names in methods.items()
        for method in names
    }
    unary = {
        f"{service.name}.{method.name}"
        for service, _ in services_of_the_contract()
        for method in service.methods
        if not method.client_streaming and not method.server_streaming
    }

    assert decided == unary
    assert json.loads(_channel.service_config())["methodConfig"][0]["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_for_every_rpc_of_a_client_there_is_a_method() -> None:
    methods = {
        "UploadService": {
            "StartUpload": "upload",
            "WriteUpload": "upload",
            "GetUploadStatus": "upload",
            "CancelUpload": "cancel_upload",
        },
        "DownloadService": {"Download": "open_download"},
        "TokenService": {"CreateToken": "create_token", "BatchCreateTokens": "create_tokens", "InspectToken": "inspect_token"},
        "DocumentService": {
            "ConfirmUploads": "confirm",
            "FinalizeDocuments": "finalize",
            "GetDocument": "get_document",
            "BatchGetDocuments": "get_documents",
            "ListDocuments": "list_documents",
            "UpdateMetadata": "update_metadata",
            "RotateImage": "rotate_image",
            "SaveEdit": "save_edit",
            "DuplicateDocuments": "duplicate",
            "DeleteDocuments": "delete",
            "UndeleteDocuments": "undelete",
            "DeclareInfected": "declare_infected",
        },
        "PostProcessingService": {
            "StartPostProcessing": "start",
            "GetPostProcessing": "watch",  # whose first word is how the job stands
            "WatchPostProcessing": "watch",
            "CancelPostProcessing": "cancel",
            "ListPostProcessings": "list_jobs",
        },
    }

    assert {service.name: {method.name for method in service.methods} for service, _ in services_of_the_contract()} == {
        **{service: set(names) for service, names in methods.items()},
        "WorkerService": {"ClaimTask", "ReadInputs", "ExtendLease", "CompleteTask", "FailTask", "GiveBackTask"},
    }
    for names in methods.values():
        for name in names.values():
            assert inspect.getdoc(getattr(Client, name)), name


def test_everything_public_is_listed_and_exists() -> None:
    assert sorted(osis_document_client.__all__) == osis_document_client.__all__
    assert all(hasattr(osis_document_client, name) for name in osis_document_client.__all__)


def test_the_command_line_s_libraries_are_not_imported() -> None:
    script = "import sys, osis_document_client; sys.exit(bool({'rich', 'click'} & sys.modules.keys()))"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_unary_calls_carry_the_key_and_the_default_deadline(client: Client, service: Service) -> None:
    service.add_document("d1", b"x")

    client.get_document("d1")
    client.documents.GetDocument(GetDocumentRequest(document=DocumentRef(document_id="d1")), timeout=5)

    assert service.keys == [API_KEY, API_KEY]
    assert service.deadlines[0] is not None
    assert 20 < service.deadlines[0] <= 31
    assert service.deadlines[1] is not None
    assert service.deadlines[1] <= 6


def test_streams_carry_the_key_and_no_deadline_of_their_own(client: Client, service: Service, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")

    client.upload(tmp_path / "a.pdf")

    assert service.keys == [API_KEY]
    assert service.deadlines == [None]


def test_without_a_key_none_is_sent(port: int, service: Service) -> None:
    service.add_document("d1", b"x")
    with Client(ClientConfig(target=f"127.0.0.1:{port}")) as client:
        assert client.get_document(token="token.of.d1").id == "d1"

    assert service.keys == [None]


def test_the_key_is_not_logged(client: Client, service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(DocumentNotFound) as caught:
        client.get_document("nothing")

    assert API_KEY not in caplog.text + repr(caught.value) + str(caught.value)


def test_an_idempotent_call_is_repeated_by_grpc(client: Client, service: Service) -> None:
    service.add_document("d1", b"x")
    service.plan.extend([Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)] * 2)

    client.tokens.CreateToken(CreateTokenRequest(document_id="d1"))

    assert service.calls == ["CreateToken"] * 3


def test_confirming_answers_documents_in_order(client: Client, service: Service) -> None:
    service.add_document("d1", b"x")
    service.add_document("d2", b"y", name="other.pdf")
    result = UploadResult(write_token="write.of.d2")

    documents = client.confirm(
        ["write.of.d1", result, ConfirmUpload(token="write.of.d1", path="own.pdf")],
        path="folder/",
        metadata={"year": 2026},
        expiration_policy=ExpirationPolicy.EXPIRATION_POLICY_EXPORT,
        hold=timedelta(hours=1),
    )

    assert [document.id for document in documents] == ["d1", "d2", "d1"]
    [request] = service.confirmed
    assert [upload.path for upload in request.uploads] == ["folder/", "folder/", "own.pdf"]
    assert dict(request.uploads[0].metadata) == {"year": 2026}
    assert not request.uploads[2].HasField("metadata")
    assert request.uploads[1].expiration_policy == ExpirationPolicy.EXPIRATION_POLICY_EXPORT
    assert request.hold.duration.seconds == 3600
    assert str(uuid.UUID(request.request_id)) == request.request_id


def test_a_hold_may_be_left_to_the_service(client: Client, service: Service) -> None:
    service.add_document("d1", b"x")

    client.confirm(["write.of.d1"], hold=Hold())
    client.confirm(["write.of.d1"])

    assert [request.HasField("hold") for request in service.confirmed] == [True, False]
    assert not service.confirmed[0].hold.HasField("duration")


def test_confirming_is_repeated_as_the_same_request(client: Client, service: Service, pauses: list[float]) -> None:
    service.add_document("d1", b"x")
    service.plan.append(Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE))

    client.confirm(["write.of.d1"], request_id="r1")

    assert [request.request_id for request in service.confirmed] == ["r1", "r1"]
    assert pauses == [1]


def test_confirming_is_given_up_when_nobody_answers(client: Client, service: Service, pauses: list[float]) -> None:
    service.plan.extend([Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)] * 9)

    with pytest.raises(Unavailable):
        client.confirm(["write.of.d1"])

    assert pauses == [1, 2, 4]


def test_no_try_and_no_pause_goes_past_the_deadline_of_the_call(port: int, service: Service) -> None:
    service.plan.extend([Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)] * 9)
    pauses: list[float] = []
    patient = Backoff(initial_seconds=5, maximum_seconds=60, sleep=pauses.append, jitter=lambda: 1.0)
    config = ClientConfig(target=f"127.0.0.1:{port}", api_key=API_KEY, timeout_seconds=15)

    with Client(config, backoff=patient) as client, pytest.raises(Unavailable):
        client.confirm(["write.of.d1"])

    assert pauses == [5, 10]  # and not 20 after it
    assert service.calls == ["ConfirmUploads"] * 3


def test_all_tries_of_a_call_share_its_deadline() -> None:
    deadlines: list[float | None] = []

    def refused(_request: object, /, *, timeout: float | None) -> None:
        deadlines.append(timeout)
        raise Unavailable("nobody answers")

    config = ClientConfig(target="nobody.invalid:1", timeout_seconds=60)
    with Client(config, backoff=Backoff(attempts=3, sleep=lambda _: time.sleep(0.01))) as client, pytest.raises(Unavailable):
        repeat(client, refused, None)

    first, second, third = (each for each in deadlines if each is not None)
    assert 60 >= first > second > third


def test_a_spent_token_says_which_item_it_was(client: Client) -> None:
    with pytest.raises(TokenSpent) as caught:
        client.confirm(["write.of.nothing"])

    assert caught.value.metadata == {"index": "0"}


def test_one_text_is_not_taken_for_a_list_of_tokens(client: Client) -> None:
    with pytest.raises(TypeError, match="list of tokens"):
        client.confirm("write.of.d1")


def test_a_token_is_asked_for_with_all_that_was_said(client: Client, service: Service) -> None:
    service.add_document("d1", b"x")

    answer = client.create_token(
        "d1",
        write=True,
        ttl_seconds=90.5,
        wanted_post_process=WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL,
        for_modified=True,
    )
    client.create_token("d1")

    first, second = service.token_requests
    assert answer.token.token == "modified.of.d1"
    assert first.purpose == TokenPurpose.TOKEN_PURPOSE_WRITE
    assert (first.ttl.seconds, first.ttl.nanos) == (90, 500_000_000)
    assert first.wanted_post_process == WantedPostProcess.WANTED_POST_PROCESS_ORIGINAL
    assert first.for_modified
    assert second.purpose == TokenPurpose.TOKEN_PURPOSE_READ
    assert not second.HasField("ttl")


@pytest.mark.parametrize("arguments", [{}, {"document_id": "d1", "token": "t"}])
def test_a_document_is_named_by_exactly_one_of_id_and_token(client: Client, arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="either"):
        client.get_document(**arguments)


def test_threads_share_one_channel(client: Client, service: Service) -> None:
    service.add_document("d1", b"x")
    barrier = threading.Barrier(8)

    def call(_: int) -> grpc.Channel:
        barrier.wait()
        client.get_document("d1")
        return client._connection().channel

    with ThreadPoolExecutor(8) as pool:
        channels = set(pool.map(call, range(8)))

    assert len(channels) == 1


def test_a_closed_client_says_so(client: Client) -> None:
    client.close()
    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        client.get_document("d1")


def test_rpcs_that_were_taken_from_a_client_say_that_it_is_closed_also_if_they_were_never_called(client: Client) -> None:
    documents, uploads = client.documents, client.uploads

    client.close()

    with pytest.raises(RuntimeError, match="closed"):
        documents.GetDocument(GetDocumentRequest())
    with pytest.raises(RuntimeError, match="closed"):
        uploads.WriteUpload(iter(()))


def test_a_pause_ends_when_the_client_is_closed(port: int, service: Service) -> None:
    service.plan.append(Refusal("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE, retry_after_seconds=3600))
    refused = threading.Event()

    def jitter() -> float:
        refused.set()  # the pause comes next
        return 1.0

    client = Client(ClientConfig(target=f"127.0.0.1:{port}", timeout_seconds=7200), backoff=Backoff(jitter=jitter))
    with client, ThreadPoolExecutor(1) as pool:
        confirmed = pool.submit(client.confirm, ["write.of.d1"])
        assert refused.wait(30)
        client.close()

        with pytest.raises(ClientClosed, match="closed"):
            confirmed.result(30)

    assert service.calls == ["ConfirmUploads"]


def test_the_pauses_of_one_client_are_not_those_of_another_with_its_backoff(port: int) -> None:
    config = ClientConfig(target=f"127.0.0.1:{port}")
    with Client(config, backoff=Backoff(attempts=7)) as first, Client(config, backoff=first.backoff) as second:
        first.close()

        assert second.backoff.attempts == 7
        second.backoff.require_open()
        with pytest.raises(ClientClosed):
            first.backoff.require_open()


def test_a_list_whose_client_is_closed_between_two_pages_says_so(client: Client, service: Service) -> None:
    for number in range(2):
        service.add_document(f"d{number}", b"x")
    listed = client.list_documents(page_size=1)
    first = next(listed)

    client.close()

    assert first.id == "d0"
    with pytest.raises(RuntimeError, match="closed"):
        next(listed)


def test_processes_forked_from_a_client_that_made_no_call_have_channels_of_their_own(port: int, service: Service) -> None:
    service.add_document("d1", b"x")
    script = textwrap.dedent(
        f"""
        import os, sys
        from osis_document_client import Client, ClientConfig
        client = Client(ClientConfig(target="127.0.0.1:{port}"))
        children = []
        for _ in range(4):
            child = os.fork()
            if not child:
                ok = client.get_document(token="token.of.d1").id == "d1" and list(client._connections) == [os.getpid()]
                os._exit(0 if ok else 1)
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert client.get_document(token="token.of.d1").id == "d1"
        print(codes)
        """
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert done.stdout == "[0, 0, 0, 0]\n", done.stderr
    assert len(service.calls) == 5


def make_certificates(folder: Path) -> None:
    """Makes an authority, and a certificate for localhost signed by it."""
    run: dict[str, Any] = {"check": True, "capture_output": True, "cwd": folder}
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca = ["openssl", "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test authority", "-days", "2"]
    subprocess.run(ca, **run)
    request = ["openssl", "req", *new_key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=localhost"]
    subprocess.run(request, **run)
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    signing = [
        "openssl",
        "x509",
        "-req",
        "-in",
        "request.pem",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-extfile",
        "names",
        "-days",
        "2",
    ]
    subprocess.run([*signing, "-out", "cert.pem"], **run)


@pytest.mark.parametrize("mutual", [False, True])
def test_tls_is_used_when_it_is_configured(service: Service, tmp_path: Path, mutual: bool) -> None:
    make_certificates(tmp_path)
    key, cert, ca = ((tmp_path / name).read_bytes() for name in ("key.pem", "cert.pem", "ca.pem"))
    service.add_document("d1", b"x")
    server = make_server(service)
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([(key, cert)], ca if mutual else None, mutual))
    server.start()
    pair = {"tls_cert_file": tmp_path / "cert.pem", "tls_key_file": tmp_path / "key.pem"} if mutual else {}
    try:
        with Client(ClientConfig(target=f"localhost:{port}", tls_ca_file=tmp_path / "ca.pem", **pair)) as client:  # type: ignore[arg-type]
            assert client.get_document(token="token.of.d1").id == "d1"
        with Client(ClientConfig(target=f"localhost:{port}")) as client, pytest.raises(Unavailable):
            client.get_document(token="token.of.d1")
    finally:
        server.stop(0).wait(30)


def test_metadata_keeps_integers_and_refuses_what_would_change() -> None:
    values = {"n": 3, "big": 2**53, "f": 1.5, "t": "x", "b": True, "no": None, "deep": {"l": [1, "a", {"k": -2}], "m": {}}}

    back = from_struct(to_struct(values))

    assert back == values
    assert isinstance(back["n"], int)
    assert isinstance(back["b"], bool)
    assert isinstance(from_struct(to_struct({"far": 1e300}))["far"], float)
    assert from_struct(to_struct({"pair": (1, 2)})) == {"pair": [1, 2]}


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, float("nan"), float("inf")])
def test_numbers_that_would_change_are_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match=r"metadata\['a'\]\[1\]"):
        to_struct({"a": [0, value]})


@pytest.mark.parametrize("value", [b"bytes", uuid.UUID(int=4), {1: "number as key"}, {"set"}])
def test_values_without_a_json_form_are_refused_by_name(value: object) -> None:
    with pytest.raises(TypeError, match=r"metadata\['a'\]"):
        to_struct({"a": value})
