"""The template library `osis_document`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django import template
from django.template import Context

from .. import conf
from ..contrib.identifiers import as_uuid, stored_ids
from ..contrib.page_documents import PageDocuments, Wanted
from ..enums import PostProcessingStatus, PostProcessingWanted
from ..services import documents

register = template.Library()


@register.simple_tag(takes_context=True)
def get_metadata(
    context: Context, uuid: object, wanted_post_process: str | None = None, for_modified_upload: bool = False
) -> dict[str, Any] | None:
    """The metadata of a document: `name`, `size`, `mimetype`, `uploaded_at`, `hash`, `url`, `upload_uuid`, and its own keys.

        {% get_metadata file_uuid as metadata %}

    None where they are not to be had: the document is infected, deleted or still being processed, or the service does not answer.
    """
    document_id = as_uuid(uuid)
    if document_id is None:
        return None
    wanted = Wanted(post_process=wanted_post_process or None, for_modified_upload=bool(for_modified_upload))
    return PageDocuments.of(context).metadata(document_id, wanted, context)


@register.simple_tag(takes_context=True)
def get_file_url(
    context: Context,
    uuid: object,
    wanted_post_process: str | None = None,
    custom_ttl: float | None = None,
    for_modified_upload: bool = False,
) -> str:
    """Where a document is read, for as long as a token is good (`custom_ttl` seconds); empty where it cannot be read."""
    document_id = as_uuid(uuid)
    if document_id is None:
        return ""
    wanted = Wanted(
        post_process=wanted_post_process or None, ttl_seconds=custom_ttl, for_modified_upload=bool(for_modified_upload)
    )
    token = PageDocuments.of(context).answers([document_id], wanted, context)[document_id].get("token")
    return documents.file_url(token) if token else ""


@register.inclusion_tag("osis_document/visualizer.html", takes_context=True)
def document_visualizer(
    context: Context, values: Iterable[object] | None, wanted_post_process: str | None = None, for_modified_upload: bool = False
) -> dict[str, Any]:
    """Shows documents; where they are still being processed, how far that is.

    {% document_visualizer my_instance.files %}

    `data-post-process-status` and its companions speak of the first document that is not finished. Where some cannot be read,
    `data-documents` lists all of them in their order: it is what the script follows.
    """
    page = PageDocuments.of(context)
    wanted = Wanted(post_process=wanted_post_process or None, for_modified_upload=bool(for_modified_upload))
    ids = stored_ids(values)
    answers = page.answers(ids, wanted, context)
    data = {"values": ",".join(answer["token"] for answer in answers.values() if "token" in answer), "base-url": conf.base_url()}
    unfinished = [(each, answer) for each, answer in answers.items() if "status" in answer]
    if unfinished:
        document_id, answer = unfinished[0]
        data |= {
            "post-process-status": answer["status"],
            "get-progress-url": answer["links"]["progress"] if answer["status"] == PostProcessingStatus.PENDING else "",
            "base-uuid": str(document_id),
            "wanted-post-process": wanted_post_process or "",
        }
    if any("token" not in answer for answer in answers.values()):
        data["documents"] = json.dumps([_listed(answer, wanted_post_process) for answer in answers.values()])
    return {"data": data, "files": [_shown(page, each, answer, wanted, context) for each, answer in answers.items()]}


@register.inclusion_tag("osis_document/editor.html", takes_context=True)
def document_editor(context: Context, uuid: object, for_modified_upload: bool = False, **toggles: object) -> dict[str, Any]:
    """Edits a PDF.

        {% document_editor instance.document.0 zoom=False %}

    The parts of the toolbar are `pagination`, `zoom`, `comment`, `highlight` and `rotation`; each is there unless it is turned
    off. With `for_modified_upload` a copy is edited, and the document stays as it is. Where no script runs, there is a link to
    the PDF.
    """
    document_id = as_uuid(uuid)
    wanted = Wanted(write=True, post_process=PostProcessingWanted.ORIGINAL.value, for_modified_upload=bool(for_modified_upload))
    page = PageDocuments.of(context)
    answer = page.answers([document_id], wanted, context)[document_id] if document_id is not None else {}
    token = answer.get("token", "")
    return {
        "token": token,
        "base_url": conf.base_url(),
        "url": documents.file_url(token) if token else "",
        "toggles": {name: "true" if _is_on(value) else "false" for name, value in toggles.items()},
        "error": answer.get("error", {}).get("message", ""),
    }


def _is_on(value: object) -> bool:
    return str(value).lower() not in {"", "false", "none", "0"}


def _listed(answer: dict[str, Any], wanted_post_process: str | None) -> dict[str, Any]:
    """What the script is told of one document, where not every document can be read."""
    if "token" in answer:
        return {"token": answer["token"]}
    if "status" not in answer:
        return {"error": answer["error"]}
    if answer["status"] == PostProcessingStatus.PENDING:
        return {
            "status": answer["status"],
            "progress_url": answer["links"]["progress"],
            "wanted_post_process": wanted_post_process or "",
        }
    return {"status": answer["status"], "errors": answer["errors"]}


def _shown(page: PageDocuments, document_id: Any, answer: dict[str, Any], wanted: Wanted, context: Context) -> dict[str, Any]:
    """What is shown of a document where no script runs."""
    if "token" not in answer:
        reasons = answer.get("errors", {}).get("messages", [])
        return {"status": answer.get("status", ""), "error": answer.get("error", {}).get("message", "") or " ".join(reasons)}
    found = page.metadata(document_id, wanted, context) or {}
    return {"url": documents.file_url(answer["token"]), "name": found.get("name", ""), "size": found.get("size")}
