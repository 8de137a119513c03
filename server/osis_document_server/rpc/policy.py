"""Who may call what, and what kind of call it is. A method that is not named here is not served."""

from dataclasses import dataclass
from enum import Enum

from osis_document_server.domain.access import Role


class Kind(Enum):
    """What a call keeps busy, and for how long."""

    #: Bytes that stream for as long as they take.
    STREAM = "streams"
    #: A stream or a call that mostly waits for a worker.
    WAITER = "waiters"
    #: Done in a moment.
    CALL = "calls"
    #: A tool that reads what the service offers.
    REFLECTION = "reflections"
    #: A load balancer that follows the service's health.
    HEALTH_WATCH = "health watches"


@dataclass(frozen=True)
class Policy:
    """What holds for one method."""

    kind: Kind
    #: Roles whose keys may call it.
    roles: frozenset[Role]
    #: True: the token in the request is what allows the call; a key is looked at only if one is sent.
    by_token: bool = False


_CLIENT = frozenset({Role.CLIENT, Role.ADMIN})
_UPLOADER = frozenset({Role.CLIENT, Role.ADMIN, Role.WORKER})
_WORKER = frozenset({Role.WORKER})
_ANYONE = frozenset(Role)


def _methods(service: str, policies: dict[str, Policy]) -> dict[str, Policy]:
    return {f"/osis.document.v1.{service}/{method}": policy for method, policy in policies.items()}


POLICIES: dict[str, Policy] = {
    **_methods(
        "UploadService",
        {
            "StartUpload": Policy(Kind.CALL, _UPLOADER),
            "WriteUpload": Policy(Kind.STREAM, _UPLOADER),
            "GetUploadStatus": Policy(Kind.CALL, _UPLOADER),
            "CancelUpload": Policy(Kind.CALL, _UPLOADER),
        },
    ),
    **_methods("DownloadService", {"Download": Policy(Kind.STREAM, _ANYONE, by_token=True)}),
    **_methods(
        "TokenService",
        {
            "CreateToken": Policy(Kind.CALL, _CLIENT),
            "BatchCreateTokens": Policy(Kind.CALL, _CLIENT),
            "InspectToken": Policy(Kind.CALL, _CLIENT),
        },
    ),
    **_methods(
        "DocumentService",
        {
            "ConfirmUploads": Policy(Kind.CALL, _CLIENT),
            "FinalizeDocuments": Policy(Kind.CALL, _CLIENT),
            "GetDocument": Policy(Kind.CALL, _CLIENT, by_token=True),
            "BatchGetDocuments": Policy(Kind.CALL, _CLIENT, by_token=True),
            "ListDocuments": Policy(Kind.CALL, _CLIENT),
            "UpdateMetadata": Policy(Kind.CALL, _CLIENT, by_token=True),
            "RotateImage": Policy(Kind.WAITER, _CLIENT, by_token=True),
            "SaveEdit": Policy(Kind.WAITER, _CLIENT, by_token=True),
            "DuplicateDocuments": Policy(Kind.CALL, _CLIENT),
            "DeleteDocuments": Policy(Kind.CALL, _CLIENT),
            "UndeleteDocuments": Policy(Kind.CALL, _CLIENT),
            "DeclareInfected": Policy(Kind.CALL, _CLIENT),
        },
    ),
    **_methods(
        "PostProcessingService",
        {
            "StartPostProcessing": Policy(Kind.CALL, _CLIENT),
            "GetPostProcessing": Policy(Kind.CALL, _CLIENT),
            "WatchPostProcessing": Policy(Kind.WAITER, _CLIENT),
            "CancelPostProcessing": Policy(Kind.CALL, _CLIENT),
            "ListPostProcessings": Policy(Kind.CALL, _CLIENT),
        },
    ),
    **_methods(
        "WorkerService",
        {
            "ClaimTask": Policy(Kind.CALL, _WORKER),
            "ReadInputs": Policy(Kind.STREAM, _WORKER),
            "ExtendLease": Policy(Kind.CALL, _WORKER),
            "CompleteTask": Policy(Kind.CALL, _WORKER),
            "FailTask": Policy(Kind.CALL, _WORKER),
            "GiveBackTask": Policy(Kind.CALL, _WORKER),
        },
    ),
}

#: What tools and load balancers call without a key; nothing of it is logged. None: let in however much else goes on.
TOOLS: dict[str, Kind | None] = {
    "/grpc.health.v1.Health/Check": None,
    "/grpc.health.v1.Health/Watch": Kind.HEALTH_WATCH,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Kind.REFLECTION,
}
