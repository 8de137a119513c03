"""Who makes the call that is being served."""

from contextvars import ContextVar

import grpc

from osis_document_server.domain.access import ApiKeys, Caller
from osis_document_server.errors import ApiKeyMissing, RoleNotAllowed
from osis_document_server.rpc.policy import Policy

#: Metadata key under which callers send their API key.
API_KEY = "x-api-key"

_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def authenticate(keys: ApiKeys, policy: Policy, method: str, context: grpc.ServicerContext) -> Caller | None:
    """Finds out who calls, and remembers it for ``current_caller``.

    Raises:
        ApiKeyMissing, ApiKeyInvalid, RoleNotAllowed: the call is not theirs to make.
    """
    secret = next((value for key, value in context.invocation_metadata() if key == API_KEY), None)
    caller = None
    if secret is not None:
        caller = keys.caller_of(secret if isinstance(secret, str) else secret.decode(errors="replace"), method=method)
        if caller.role not in policy.roles:
            needed = " or ".join(sorted(policy.roles))
            raise RoleNotAllowed(
                f"The key of {caller.name!r} has the role {caller.role}; {method} needs {needed}.",
                role=caller.role,
                needed=needed,
                method=method,
            )
    elif not policy.by_token:
        raise _missing(method)
    _caller.set(caller)
    return caller


def current_caller() -> Caller:
    """Returns who calls.

    Raises:
        ApiKeyMissing: the method can be called without a key, but not in this way.
    """
    caller = _caller.get()
    if caller is None:
        raise _missing("")
    return caller


def _missing(method: str) -> ApiKeyMissing:
    return ApiKeyMissing(
        f"{method or 'This call'} needs an API key in the metadata {API_KEY!r}. Clients read theirs from OSIS_DOCUMENT_API_KEY.",
        method=method,
    )
