"""Who makes the call that is being served."""

from collections.abc import Callable, Iterable

import grpc

from osis_document_server.domain.access import ApiKeys, Caller
from osis_document_server.errors import ApiKeyMissing, RoleNotAllowed
from osis_document_server.rpc.calls import current_call
from osis_document_server.rpc.policy import Policy

#: Metadata key under which callers send their API key.
API_KEY = "x-api-key"


def authenticate(keys: ApiKeys, policy: Policy, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> Caller | None:
    """Finds out who calls. None: nobody says so, and the method can be called with a token alone.

    Raises:
        ApiKeyMissing, ApiKeyInvalid, RoleNotAllowed: the call is not theirs to make.
    """
    secret = next((value for key, value in metadata if key == API_KEY), None)
    if secret is None:
        if not policy.by_token:
            raise _missing(method)
        return None
    caller = keys.caller_of(secret if isinstance(secret, str) else secret.decode(errors="replace"), method=method)
    if caller.role not in policy.roles:
        needed = " or ".join(sorted(policy.roles))
        raise RoleNotAllowed(
            f"The key of {caller.name!r} has the role {caller.role}; {method} needs {needed}.",
            role=caller.role,
            needed=needed,
            method=method,
        )
    return caller


def current_caller() -> Caller:
    """Returns who calls.

    Raises:
        ApiKeyMissing: the method can be called without a key, but not in this way.
    """
    call = current_call()
    if call.caller is None:
        raise _missing(call.method)
    return call.caller


def close_with(context: grpc.ServicerContext, close: Callable[[], None]) -> None:
    """Has ``close`` called when the call ends, at once if it has ended already: then gRPC takes no callbacks any more."""
    if not context.add_callback(close):
        close()


def _missing(method: str) -> ApiKeyMissing:
    return ApiKeyMissing(
        f"{method} needs an API key in the metadata {API_KEY!r}. Clients read theirs from OSIS_DOCUMENT_API_KEY.", method=method
    )
