"""The widgets: the uploader, and hidden inputs with the tokens of documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar

from django import forms
from django.utils.datastructures import MultiValueDict

from .. import conf
from . import references
from .form_documents import ShownFiles
from .names import names_of
from .options import UploadOptions, split_options


class _TokensWidget(forms.Widget):
    """Reads the hidden inputs `name_0`, `name_1` … in the order of their numbers."""

    class Media:
        css: ClassVar = {"all": ["osis_document/osis-document.css"]}
        js: ClassVar = ["osis_document/osis-document.umd.min.js"]

    def value_from_datadict(self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str) -> Any:
        """The tokens, however many there are, then the files that came with the form."""
        numbered = re.compile(re.escape(name) + "_([0-9]{1,9})")
        found = [(int(match[1]), key) for key in data if (match := numbered.fullmatch(key))]
        tokens = [str(data[key]) for _, key in sorted(found)]
        return [item for item in [*tokens, *_all(data, name), *_all(files, name)] if item]

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Never: where there is no input, all files were removed."""
        return False

    def format_value(self, value: Any) -> list[str]:
        """The tokens."""
        return [str(item) for item in value or ()]


class FileUploadWidget(_TokensWidget):
    """The uploader. A script of the app takes it over; where none runs, files are chosen and sent with the form.

    Args:
        attrs: attributes of the input that files are chosen with.
        **options: those of `UploadOptions`; a form field gives what is not given here.
    """

    template_name = "osis_document/uploader.html"
    needs_multipart_form = True

    def __init__(self, attrs: dict[str, Any] | None = None, **options: Any) -> None:
        super().__init__(attrs)
        self.options = split_options(options)
        if options:
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(options))}")

    def take_defaults(self, options: UploadOptions) -> None:
        """Takes the options of a form field where this widget has none of its own."""
        own = {each.name: getattr(self.options, each.name) for each in fields(UploadOptions)}
        given = {each.name: own[each.name] for each in fields(UploadOptions) if own[each.name] != each.default}
        self.options = UploadOptions(**(options.as_keywords() | given))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the template needs; the names of all files are asked for in one call, those of a form's other fields along."""
        context = super().get_context(name, value, attrs)
        tokens = self.format_value(value)
        options = self.options
        if tokens:  # also those that came with a form that is shown again: the browser would ask for another file
            context["widget"]["attrs"].pop("required", None)
        context["widget"] |= {
            "data": _data_attributes(name, tokens, options),
            "files": list(_files(value, tokens)),
            "accept": ",".join(options.mimetypes or ()),
            "multiple": options.max_files != 1,
        }
        return context


class HiddenFileWidget(_TokensWidget):
    """Hidden inputs with the tokens of documents that the form passes on.

    Args:
        display_visualizer: the documents are shown, too.
    """

    template_name = "osis_document/hidden_files.html"

    def __init__(self, attrs: dict[str, Any] | None = None, *, display_visualizer: bool = False) -> None:
        super().__init__(attrs)
        self.display_visualizer = display_visualizer

    @property
    def is_hidden(self) -> bool:
        """Whether there is nothing to be seen."""
        return not self.display_visualizer

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """What the template needs."""
        context = super().get_context(name, value, attrs)
        tokens = self.format_value(value)
        shown = [token for token in tokens if not references.is_reference(token)]
        context["widget"] |= {
            "tokens": tokens,
            "display_visualizer": self.display_visualizer,
            "visualizer": {"values": ",".join(shown), "base-url": conf.base_url()},
        }
        return context


def _all(data: Any, name: str) -> Sequence[Any]:
    """The values of a name, from what a browser sent or from a plain dictionary."""
    if hasattr(data, "getlist"):
        found: Sequence[Any] = data.getlist(name)
        return found
    value = (data or {}).get(name)
    return value if isinstance(value, list | tuple) else [value]


def _data_attributes(name: str, tokens: list[str], options: UploadOptions) -> dict[str, str]:
    """What the script reads, by the names of the attributes without `data-`. What is not given has no attribute."""
    values: dict[str, Any] = {
        "name": name,
        "values": ",".join(token for token in tokens),
        "base-url": conf.base_url(),
        "limit": options.max_files,
        "mimetypes": ",".join(options.mimetypes or ()),
        "automatic-upload": "true" if options.automatic_upload else "false",
        "editable-filename": "true" if options.can_edit_filename else "false",
        "max-size": options.max_size_bytes,
        "min-files": options.min_files,
        "max-files": options.max_files,
        "upload-text": options.upload_text,
        "upload-button-text": options.upload_button_text,
        "with-cropping": "true" if options.with_cropping else None,
        "cropping-options": json.dumps(options.cropping_options) if options.cropping_options else None,
    }
    return {key: str(value) for key, value in values.items() if value not in (None, "") or key in {"name", "values"}}


def _files(value: Any, tokens: list[str]) -> Iterator[dict[str, str]]:
    """The token and the name of each file; no name where it cannot be had."""
    known = value.names() if isinstance(value, ShownFiles) else names_of(tokens)
    for token in tokens:
        yield {"token": token, "name": known.get(token, "")}
