"""Who may call what."""

from google.protobuf.descriptor_pool import Default

from osis.document.v1 import (  # noqa: F401 - importing registers their services
    document_service_pb2,
    download_service_pb2,
    post_processing_service_pb2,
    token_service_pb2,
    upload_service_pb2,
    worker_service_pb2,
)
from osis_document_server.domain.access import Role
from osis_document_server.rpc.policy import POLICIES, Kind

_SERVICES = [
    Default().FindServiceByName(f"osis.document.v1.{name}")  # type: ignore[no-untyped-call]
    for name in (
        "UploadService",
        "DownloadService",
        "TokenService",
        "DocumentService",
        "PostProcessingService",
        "WorkerService",
    )
]
_METHODS = {f"/{service.full_name}/{method.name}": method for service in _SERVICES for method in service.methods}


def test_every_method_of_the_contract_has_a_policy_and_nothing_else_has() -> None:
    assert POLICIES.keys() == _METHODS.keys()


def test_only_what_a_token_alone_allows_needs_no_key() -> None:
    by_token = {method.rpartition("/")[2] for method, policy in POLICIES.items() if policy.by_token}
    assert by_token == {"Download", "GetDocument", "BatchGetDocuments", "UpdateMetadata", "RotateImage", "SaveEdit"}


def test_workers_and_clients_keep_to_their_own() -> None:
    for method, policy in POLICIES.items():
        if "WorkerService" in method:
            assert policy.roles == {Role.WORKER}, method
        elif "UploadService" not in method and "Download" not in method:
            assert Role.WORKER not in policy.roles, method


def test_streams_count_as_streams() -> None:
    for name, method in _METHODS.items():
        streaming = method.client_streaming or method.server_streaming
        assert (POLICIES[name].kind is not Kind.CALL) == (streaming or method.name in {"RotateImage", "SaveEdit"}), name
