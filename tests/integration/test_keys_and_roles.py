"""Who may call what: without a key, with a wrong one, and with one of another role."""

import pytest

from osis.document.v1.document_pb2 import DocumentRef
from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.upload_service_pb2 import CancelUploadRequest, GetUploadStatusRequest
from osis.document.v1.worker_service_pb2 import ClaimTaskRequest, GiveBackTaskRequest
from tests.support import files, jobs
from tests.support.documents import get
from tests.support.downloads import download
from tests.support.refusals import expect_refusal
from tests.support.rpcs import RPCS
from tests.support.server import serving
from tests.support.uploads import MEBIBYTE, messages, new_id, spec, store, token_for

pytestmark = pytest.mark.one_database

#: What a token alone allows, and a request that carries one.
BY_TOKEN = {
    "DownloadService.Download": lambda token: {"token": token},
    "DocumentService.GetDocument": lambda token: {"document": DocumentRef(token=token)},
    "DocumentService.BatchGetDocuments": lambda token: {"documents": [DocumentRef(token=token)]},
    "DocumentService.UpdateMetadata": lambda token: {"token": token},
    "DocumentService.RotateImage": lambda token: {"token": token},
    "DocumentService.SaveEdit": lambda token: {"token": token},
}
BY_KEY = [name for name in RPCS if name not in BY_TOKEN]

OF_WORKERS = [name for name in RPCS if name.startswith("WorkerService.")]
OF_CLIENTS = [name for name in BY_KEY if not name.startswith(("WorkerService.", "UploadService."))]


@pytest.fixture(scope="module")
def worker(server):
    return server.stubs("worker")


@pytest.mark.parametrize("name", BY_KEY)
def test_without_a_key_nothing_is_done_that_needs_one(nobody, name):
    refusal = expect_refusal("API_KEY_MISSING", RPCS[name].call, nobody)

    assert refusal.metadata == {"method": RPCS[name].path}


@pytest.mark.parametrize(
    "key", ["wrong", "alpha", "alpha-secret ", "ALPHA-SECRET", "alpha-secre", "alpha:alpha-secret", "x" * 4000]
)
def test_a_key_that_is_none_of_the_services_is_refused(server, key):
    rpc = RPCS["TokenService.CreateToken"]

    refusal = expect_refusal("API_KEY_INVALID", rpc.call, server.stubs(key=key), rpc.request(document_id=new_id()))

    assert key not in refusal.message


def test_an_empty_key_is_a_missing_one_or_a_wrong_one(server):
    metadata = [("x-api-key", "")]
    rpc = server.stubs(None).post_processings.GetPostProcessing
    request = RPCS["PostProcessingService.GetPostProcessing"].request(post_processing_id=new_id())

    expect_refusal("API_KEY_INVALID", rpc, request, metadata=metadata)


@pytest.mark.parametrize("name", BY_KEY)
def test_with_a_wrong_key_nothing_is_done_that_needs_one(server, name):
    expect_refusal("API_KEY_INVALID", RPCS[name].call, server.stubs(key="wrong"))


def test_the_refusal_of_a_wrong_key_names_the_rpc(server):
    rpc = RPCS["TokenService.CreateToken"]

    assert expect_refusal("API_KEY_INVALID", rpc.call, server.stubs(key="wrong")).metadata == {"method": rpc.path}


@pytest.mark.parametrize("name", BY_TOKEN)
def test_what_a_token_allows_needs_no_key_but_a_token(nobody, name):
    rpc = RPCS[name]

    request = rpc.request(**BY_TOKEN[name]("no token"))
    if name == "DocumentService.BatchGetDocuments":  # says so of each item
        [result] = rpc.call(nobody, request).results
        assert result.error.reason == ErrorReason.ERROR_REASON_TOKEN_INVALID
    else:
        expect_refusal("TOKEN_INVALID", rpc.call, nobody, request)


def test_a_document_is_read_and_described_by_its_token_without_a_key(alpha, nobody):
    document = store(alpha, b"content")
    token = token_for(alpha, document.id)

    assert get(nobody, token=token) == document
    assert download(nobody, token).data == b"content"


def test_a_document_is_not_described_by_its_id_without_a_key(alpha, nobody):
    document = store(alpha, b"content")

    refusal = expect_refusal("API_KEY_MISSING", get, nobody, document.id)

    assert refusal.metadata == {"method": RPCS["DocumentService.GetDocument"].path}
    assert refusal.metadata["method"] in refusal.message


@pytest.mark.parametrize("caller", ["alpha", "beta"])
@pytest.mark.parametrize("name", OF_WORKERS)
def test_clients_are_kept_from_what_is_the_workers(server, name, caller):
    refusal = expect_refusal("ROLE_NOT_ALLOWED", RPCS[name].call, server.stubs(caller))

    assert refusal.metadata == {"role": "client", "needed": "worker", "method": RPCS[name].path}


@pytest.mark.parametrize("name", OF_CLIENTS)
def test_workers_are_kept_from_what_is_the_clients(worker, name):
    refusal = expect_refusal("ROLE_NOT_ALLOWED", RPCS[name].call, worker)

    assert refusal.metadata["role"] == "worker"


def test_workers_may_not_ask_for_documents_by_id(alpha, worker):
    document = store(alpha, b"content")

    expect_refusal("ROLE_NOT_ALLOWED", get, worker, document.id)


def test_a_worker_uploads_nothing_without_a_lease(worker, server):
    before = server.blob_files().keys()

    refusal = expect_refusal("ROLE_NOT_ALLOWED", worker.uploads.WriteUpload, messages(spec(), b"content"))

    assert refusal.metadata["role"] == "worker"
    assert server.blob_files().keys() == before


def test_a_worker_uploads_nothing_under_a_lease_that_is_not_alive(worker, server):
    before = server.blob_files().keys()

    expect_refusal("LEASE_LOST", worker.uploads.WriteUpload, messages(spec(lease_id=new_id()), b"a" * MEBIBYTE))

    assert server.blob_files().keys() == before


def lease_of_a_task(client, worker):
    """Starts a job and claims its one task."""
    job = jobs.start(client, [store(client, files.pdf("one"), "one.pdf").id], jobs.MERGE)
    [task_id] = jobs.task_ids(job)
    lease_id = new_id()
    answer = worker.workers.ClaimTask(ClaimTaskRequest(task_id=task_id, lease_id=lease_id, worker="test:1"))
    assert answer.HasField("task")
    return lease_id


def upload_calls(stubs, upload, content):
    """Everything that can be done with an upload that is there."""
    yield lambda: stubs.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=upload.upload_id))
    yield lambda: stubs.uploads.CancelUpload(CancelUploadRequest(upload_id=upload.upload_id))
    yield lambda: stubs.uploads.WriteUpload(messages(upload.upload_id, content))


@pytest.mark.needs_redis
def test_a_worker_touches_no_upload_but_its_tasks_and_nobody_else_touches_those(queueing_server):
    alpha, beta, admin, worker = (queueing_server.stubs(name) for name in ("alpha", "beta", "admin", "worker"))
    lease_id, content = lease_of_a_task(alpha, worker), files.pdf("two")
    uploads = [
        (alpha, spec("unfinished.pdf"), [beta, admin, worker]),
        (alpha, spec("finished.pdf"), [beta, admin, worker]),
        (worker, spec("unfinished.pdf", lease_id=lease_id), [alpha, beta, admin]),
        (worker, spec("finished.pdf", lease_id=lease_id), [alpha, beta, admin]),
    ]
    for owner, upload, _ in uploads:
        finish = upload.name == "finished.pdf"
        owner.uploads.WriteUpload(messages(upload, content if finish else content[:-1], finish=finish))

    for _, upload, strangers in uploads:
        for stranger in strangers:
            for call in upload_calls(stranger, upload, content):
                expect_refusal("UPLOAD_ID_TAKEN", call)

    for owner, upload, _ in uploads:
        assert owner.uploads.WriteUpload(messages(upload.upload_id, content)).result.document.size_bytes == len(content)


@pytest.mark.needs_redis
def test_a_worker_of_the_same_name_as_a_client_is_somebody_else(tmp_path, redis_server):
    keys, content = "one:client-secret:client,one:worker-secret:worker", files.pdf("one")
    with serving(tmp_path / "server", BROKER_URL=redis_server.url(12), API_SHARED_SECRET=keys) as server:
        client, worker = server.stubs(key="client-secret"), server.stubs(key="worker-secret")
        upload = spec("a.pdf")
        for finish in (False, True):
            client.uploads.WriteUpload(messages(upload, content, finish=finish))

            for call in upload_calls(worker, upload, content):
                expect_refusal("UPLOAD_ID_TAKEN", call)


@pytest.mark.needs_redis
def test_a_worker_goes_on_with_no_upload_whose_lease_it_has_lost(queueing_server):
    alpha, worker = queueing_server.stubs("alpha"), queueing_server.stubs("worker")
    lease_id, content = lease_of_a_task(alpha, worker), files.pdf("two")
    upload = spec("a.pdf", lease_id=lease_id)
    worker.uploads.WriteUpload(messages(upload, content[:-1], finish=False))

    worker.workers.GiveBackTask(GiveBackTaskRequest(lease_id=lease_id))

    expect_refusal("LEASE_LOST", worker.uploads.WriteUpload, messages(upload.upload_id, content))
    status = worker.uploads.GetUploadStatus(GetUploadStatusRequest(upload_id=upload.upload_id))
    assert status.persisted_size == len(content) - 1


def test_every_client_sees_every_document(alpha, beta):
    document = store(alpha, b"content")

    assert get(beta, document.id) == document


def test_an_admin_may_do_what_a_client_may(server):
    admin = server.stubs("admin")

    assert download(admin, token_for(admin, store(admin, b"content").id)).data == b"content"
