"""`osis-document rotate`."""

from __future__ import annotations

import click

from .. import DeadlineExceeded
from .output import as_dict, document_lines, print_json, print_lines
from .settings import Settings, common_options, pass_settings
from .token import token_for
from .values import Reference, ReferenceType


# A negative number looks like an option to click.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("document", metavar="ID|TOKEN", type=ReferenceType())
@click.argument("degrees", metavar="DEGREES", type=click.IntRange())
@common_options(hidden=True)
@pass_settings
def rotate(settings: Settings, *, document: Reference, degrees: int) -> None:
    """Rotates an image, and waits until that is done.

    DEGREES are counted clockwise: 90, 180, 270, or -90 for a quarter turn to the left. A token is spent by it; the one that
    takes its place is printed.

    \b
    Example:
      osis-document rotate 0b6c7c1e-54f4-4a2e-9d7e-5f3a8a3c2b10 90
    """
    if degrees % 90:
        raise click.BadParameter(f"{degrees} is no multiple of 90", param_hint="DEGREES")
    with settings.open_client() as client:
        token = token_for(client, document, write=True)
        try:
            answer = client.rotate_image(token, degrees, timeout=settings.timeout)
        except DeadlineExceeded as exc:
            raise DeadlineExceeded(
                "it is not done yet, and goes on; `osis-document show` tells by the revision when it is", metadata=exc.metadata
            ) from exc
    if settings.json:
        print_json(as_dict(answer))
        return
    lines = [*document_lines(answer.document), ("revision", str(answer.document.revision))]
    print_lines([*lines, ("token", answer.token)] if document.token else lines)
