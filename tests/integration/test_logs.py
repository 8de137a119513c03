"""The log: a line for each call that says what it was, and none that says a secret."""

import json
import re
from contextlib import suppress
from uuid import uuid4

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub

from osis.document.v1.download_service_pb2 import DownloadRequest
from osis.document.v1.token_service_pb2 import InspectTokenRequest
from osis.document.v1.upload_service_pb2 import GetUploadStatusRequest
from tests.support import files
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.log_lines import lines
from tests.support.refusals import expect_refusal
from tests.support.rpcs import RPCS
from tests.support.server import KEYS, SIGNING_KEY, serving
from tests.support.uploads import MEBIBYTE, messages, new_id, spec, store, token_for, upload
from tests.support.waiting import wait_until

pytestmark = pytest.mark.one_database

#: Stands in every text of a request, and may stand in no line of a log.
SECRET = "xyzzy-a-secret-of-a-caller"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("logs"), LOG_FORMAT="json", STREAM_IDLE_SECONDS="2") as running:
        yield running


@pytest.fixture(scope="module")
def alpha(server):
    return server.stubs("alpha")


def line_of(server, request_id):
    """The one line about a call, once it is there."""

    def find():
        return [line for line in lines(server, "call") if line["request_id"] == request_id]

    [line] = wait_until(find, f"the call {request_id} is logged")
    return line


def own_id():
    """A request id, and the metadata that sends it."""
    request_id = f"test-{uuid4()}"
    return request_id, (("x-request-id", request_id),)


def told_id(call):
    """The request id that a call was told at its end."""
    [told] = [value for key, value in call.trailing_metadata() if key == "x-request-id"]
    return told


@pytest.mark.slow
def test_an_upload_is_one_line_with_what_came_who_sent_it_and_how_it_ended(server, alpha):
    request_id, metadata = own_id()
    sent = list(messages(spec("scan.pdf"), files.pdf_of_size(3 * MEBIBYTE)))

    answer = alpha.uploads.WriteUpload(iter(sent), metadata=metadata)

    line = line_of(server, request_id)
    assert line.pop("milliseconds") > 0
    assert re.fullmatch(r"ipv4:127\.0\.0\.1:\d+", line.pop("peer"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line.pop("timestamp"))
    assert line == {
        "event": "call",
        "level": "info",
        "method": "UploadService/WriteUpload",
        "code": "OK",
        "client": "alpha",
        "received_bytes": sum(message.ByteSize() for message in sent),
        "sent_bytes": answer.ByteSize(),
        "request_id": request_id,
    }


def test_a_download_says_what_was_sent(server, alpha):
    request_id, metadata = own_id()
    token = token_for(alpha, store(alpha, files.pdf_of_size(3 * MEBIBYTE), "scan.pdf").id)

    received = list(server.stubs(None).downloads.Download(DownloadRequest(token=token), metadata=metadata))

    line = line_of(server, request_id)
    assert (line["method"], line["code"], line["client"]) == ("DownloadService/Download", "OK", "")
    assert line["sent_bytes"] == sum(message.ByteSize() for message in received) > 3 * MEBIBYTE


@pytest.mark.slow
def test_a_refusal_says_its_code_and_its_reason(server, alpha):
    request_id, metadata = own_id()

    expect_refusal(
        "UPLOAD_NOT_FOUND", alpha.uploads.GetUploadStatus, GetUploadStatusRequest(upload_id=new_id()), metadata=metadata
    )

    line = line_of(server, request_id)
    assert (line["code"], line["reason"], line["client"]) == ("NOT_FOUND", "UPLOAD_NOT_FOUND", "alpha")


def test_bytes_that_are_no_message_are_a_refusal_like_others(server, alpha):
    request_id, metadata = own_id()

    call = alpha.channel.unary_unary("/osis.document.v1.DocumentService/GetDocument")
    refusal = expect_refusal("ARGUMENT_INVALID", call, b"\xff\xff\xff", metadata=metadata)

    assert "3 bytes" in refusal.message
    assert line_of(server, request_id)["reason"] == "ARGUMENT_INVALID"


def test_a_call_without_its_message_is_refused(alpha):
    refusal = expect_refusal(
        "ARGUMENT_INVALID", alpha.channel.stream_unary("/osis.document.v1.DocumentService/GetDocument"), iter(())
    )

    assert "exactly one" in refusal.message


@pytest.mark.slow
@pytest.mark.parametrize("timeout", [None, 1], ids=["by-cancelling", "by-its-deadline"])
def test_a_call_that_its_client_gave_up_says_so(server, alpha, timeout):
    token = upload(alpha, files.pdf_of_size(32 * MEBIBYTE), "scan.pdf").write_token
    request_id, metadata = own_id()
    call = alpha.downloads.Download(DownloadRequest(token=token), metadata=metadata, timeout=timeout)
    assert next(call).HasField("header")

    if timeout is None:
        call.cancel()

    assert line_of(server, request_id)["code"] == "CANCELLED"


def test_every_caller_is_told_the_id_of_the_call(server, alpha):
    _, answered = alpha.uploads.StartUpload.with_call(RPCS["UploadService.StartUpload"].request(upload_spec=spec()))
    stream = alpha.downloads.Download(DownloadRequest(token=upload(alpha, b"content").write_token))
    list(stream)
    with pytest.raises(grpc.RpcError) as refused:
        get(alpha, new_id())
    with pytest.raises(grpc.RpcError) as nobody:
        server.stubs(None).uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=new_id()))

    ids = [told_id(call) for call in (answered, stream, refused.value, nobody.value)]
    assert all(re.fullmatch("[0-9a-f]{32}", request_id) for request_id in ids)
    assert [line_of(server, request_id)["code"] for request_id in ids] == ["OK", "OK", "NOT_FOUND", "UNAUTHENTICATED"]


@pytest.mark.parametrize("sent", ["a", "x" * 64, "trace/7 of (me)", "~"])
def test_an_id_that_a_caller_sends_is_the_calls(alpha, sent):
    _, call = alpha.uploads.StartUpload.with_call(
        RPCS["UploadService.StartUpload"].request(upload_spec=spec()), metadata=(("x-request-id", sent),)
    )

    assert told_id(call) == sent


@pytest.mark.parametrize("sent", ["", "x" * 65, "   "])
def test_an_id_that_may_not_stand_in_a_log_is_replaced(server, alpha, sent):
    _, call = alpha.uploads.StartUpload.with_call(
        RPCS["UploadService.StartUpload"].request(upload_spec=spec()), metadata=(("x-request-id", sent),)
    )

    assert re.fullmatch("[0-9a-f]{32}", told_id(call))
    assert line_of(server, told_id(call))["code"] == "OK"


def test_what_else_is_logged_during_a_call_has_its_id(server, alpha):
    content = files.pdf_of_size(MEBIBYTE + 5)
    document = store(alpha, content, "scan.pdf")
    blob = server.blob_file_of(content)
    blob.chmod(0o600)
    blob.write_bytes(content[:-1] + b"?")
    request_id, metadata = own_id()

    with pytest.raises(grpc.RpcError):
        list(alpha.downloads.Download(DownloadRequest(token=token_for(alpha, document.id)), metadata=metadata))

    assert line_of(server, request_id)["reason"] == "DOCUMENT_CORRUPT"
    assert request_id in {line.get("request_id") for line in lines(server, "blob damaged")}


def test_health_checks_are_not_logged(server, alpha):
    request_id, metadata = own_id()
    HealthStub(alpha.channel).Check(HealthCheckRequest(), metadata=metadata)
    _, call = alpha.uploads.StartUpload.with_call(RPCS["UploadService.StartUpload"].request(upload_spec=spec()))

    assert line_of(server, told_id(call))
    assert request_id not in server.output()
    assert "Health" not in server.output()


def filled(message, *, depth=3):
    """The message with the secret in each of its texts, however deep."""
    for field in message.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_STRING and not field.message_type:
            if field.is_repeated:
                getattr(message, field.name).append(SECRET)
            elif field.containing_oneof is None or message.WhichOneof(field.containing_oneof.name) is None:
                setattr(message, field.name, SECRET)
        elif field.type == FieldDescriptor.TYPE_MESSAGE and depth and not field.message_type.full_name.startswith("google."):
            if field.message_type.GetOptions().map_entry:
                continue
            if field.is_repeated:
                filled(getattr(message, field.name).add(), depth=depth - 1)
            elif field.containing_oneof is None or message.WhichOneof(field.containing_oneof.name) is None:
                getattr(message, field.name).SetInParent()
                filled(getattr(message, field.name), depth=depth - 1)
    return message


def test_no_token_no_key_and_nothing_of_a_request_is_in_the_log(server):
    """Every rpc, with a secret in each of its texts, by each caller; and what is made of real tokens."""
    metadata = (("authorization", f"Bearer {SECRET}"), ("x-forwarded-for", SECRET))
    before = len(lines(server, "call"))
    callers = [server.stubs(name) for name in KEYS] + [server.stubs(None), server.stubs(key=f"{SECRET}-as-key")]
    for stubs in callers:
        for rpc in RPCS.values():
            request = filled(rpc.request())
            assert SECRET in str(request)
            with suppress(grpc.RpcError):
                rpc.call(stubs, request, metadata=metadata)

    alpha = server.stubs("alpha")
    finished = upload(alpha, b"content")
    assert download(server.stubs(None), finished.write_token).data == b"content"
    document = store(alpha, b"confirmed")
    read, write = token_for(alpha, document.id), token_for(alpha, document.id, write=True)
    assert download(server.stubs(None), read).data == b"confirmed"
    alpha.tokens.InspectToken(InspectTokenRequest(token=write))

    secrets = {SECRET, SIGNING_KEY, finished.write_token, read, write, *KEYS.values()}
    calls = wait_until(
        lambda: len(found := lines(server, "call")) >= before + len(callers) * len(RPCS) + 5 and found, "all is logged"
    )
    assert {line["method"].replace("/", ".") for line in calls} == set(RPCS)
    assert [secret for secret in secrets if secret in server.output()] == []
    assert all(part not in server.output() for token in (read, write) for part in token.split(".")[1:])


def test_every_line_can_be_read_by_a_machine(server, alpha):
    store(alpha, b"content")

    for line in server.output().splitlines():
        if not line.startswith("osis-document-server is serving"):
            assert {"event", "level", "timestamp"} <= json.loads(line).keys(), line
