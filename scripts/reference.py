"""Writes the reference pages of the Python names, from their signatures and docstrings: `python scripts/reference.py`."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs/reference"
_SOURCES = (FOLDER.parents[1] / "client", FOLDER.parents[1] / "django_client")
_HEAD = "<!-- Made from the docstrings by `python scripts/reference.py`; a test fails when it is out of date. -->\n\n"

#: By page: how it begins, and the modules that it tells of, with their names (`*`: all). `Name:a,b` has the members a and b, and
#: any other class those that are documented. Modules that nobody imports from have a title.
PAGES = {
    "python-django.md": """\
# The Django app in Python

The main names can be imported from `osis_document.contrib`, too (the serializers' `FileField` as `FileFieldSerializer`), and
those that the newer client package has from the modules of `osis_document_components`. Template tags come with
`{% load osis_document %}`.

osis_document.contrib.fields FileField:
osis_document.contrib.options UploadOptions:
osis_document.contrib.forms FileUploadField:persist TokenField:
osis_document.contrib.widgets FileUploadWidget: HiddenFileWidget:
osis_document.contrib.serializers FileField:
osis_document.templatetags.osis_document get_metadata get_file_url document_visualizer document_editor
osis_document.api.utils *
osis_document.utils *
osis_document.services.uploads SavedUpload
osis_document.contrib.post_processing.converter Converter ConverterImageToPdf: ConverterTextDocumentToPdf:
osis_document.contrib.post_processing.converter_registry ConverterRegistry converter_registry
osis_document.contrib.post_processing.merger Merger merger
osis_document.contrib.error_code ASYNC_POST_PROCESS_FAILED
osis_document.contrib.mixins CorsAllowOriginMixin:
osis_document.enums *
osis_document.exceptions *
osis_document.validators TokenValidator:
osis_document.testing.fake fake_documents FakeDocumentsMixin: FakeDocuments
osis_document.testing.fixtures documents
""",
    "python-client.md": """\
# The client in Python

Everything here is imported from `osis_document_client`. Messages (`Document`, `CreateTokenResponse` …) are those of the
[contract](../../protos/osis/document/v1). Times are seconds, sizes bytes.

The_client=osis_document_client._client Client
Its_rpcs=osis_document_client._rpcs Rpcs
Configuration=osis_document_client._config ClientConfig
Trying_again=osis_document_client._backoff Backoff
Batches=osis_document_client._batches Results
Reading=osis_document_client._download Download
Actions_of_a_job=osis_document_client._actions convert merge
Own_keys=osis_document_client._struct to_struct from_struct
Progress=osis_document_client._upload ProgressCallback
Errors=osis_document_client._errors error_for_item *
""",
}

_SECTION = re.compile(r"(Args|Returns|Yields|Raises|Attributes):")
_CODE = re.compile(r" {4}|\{%|\w+ = \w+\.|class \w+\(")


def render(page: str) -> str:
    """Makes a page."""
    introduction, _, table = PAGES[page].rpartition("\n\n")
    contents, parts, anchors = [], list[str](), dict[str, int]()
    for first, *wanted in map(str.split, table.splitlines()):
        title, _, module = first.rpartition("=")
        tree, shown = _parsed(module), title.replace("_", " ") or module.removesuffix(".fake")
        link = f"[{shown}](#{_anchor(shown, anchors)})"
        parts += [f"## {shown}", *([_docstring(tree)] if "*" in wanted else [])]
        chosen, links = list(_chosen(tree, wanted)), list[str]()
        for node, members in chosen:
            if not _is_plain(node):
                links.append(f"[{_name(node)}](#{_anchor(_name(node), anchors)})")
                parts += [f"### {_name(node)}", *_told(node, members, hidden=1 if "templatetags" in module else 0)]
        plain = [f"- `{_header(node)}`: {_docstring(node)}" for node, _ in chosen if _is_plain(node)]
        parts += ["### Further classes", *plain] if plain else []
        contents.append(f"- {link}{': ' if links else ''}{', '.join(links)}")
    text = "\n\n".join([introduction, "\n".join(contents), *(part for part in parts if part)])
    return _HEAD + re.sub(r"(?m)(^- .*)\n(?=\n- )", r"\1", text) + "\n"


def _parsed(module: str) -> ast.Module:
    file = f"{module.replace('.', '/')}.py"
    return ast.parse(next(source / file for source in _SOURCES if (source / file).exists()).read_text(encoding="utf-8"))


def _name(node: ast.stmt) -> str:
    return node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else ast.unparse(node).partition(" ")[0]


def _chosen(tree: ast.Module, wanted: list[str]) -> Iterator[tuple[ast.stmt, list[str] | None]]:
    """The definitions that are wanted, with the members that are; None: all. Of a module with errors, `*` is the classes."""
    found = {_name(node): node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign)}
    named = {name: members.split(",") if colon else None for name, colon, members in (each.partition(":") for each in wanted)}
    kind = ast.ClassDef if {"OsisDocumentError", "OsisDocumentException"} & found.keys() else (ast.FunctionDef, ast.ClassDef)
    if "*" in wanted:
        del named["*"]
        named |= {name: None for name, node in found.items() if isinstance(node, kind) and not name.startswith("_")}
    for name, members in named.items():
        yield found[name], members


def _is_plain(node: ast.stmt) -> bool:
    """Whether a class has nothing of its own to say but what it stands for, as most errors."""
    if not isinstance(node, ast.ClassDef) or not node.bases or "TextChoices" in _header(node):
        return False
    return not any(isinstance(each, ast.FunctionDef) for each in node.body) and "\n\n" not in (ast.get_docstring(node) or "")


def _header(node: ast.stmt) -> str:
    return (
        next(line for line in ast.unparse(node).splitlines() if line.startswith("class "))
        .removeprefix("class ")
        .removesuffix(":")
    )


def _told(node: ast.stmt, members: list[str] | None, *, hidden: int) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        yield from _function(node, hidden=hidden)
    elif isinstance(node, ast.ClassDef):
        made = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
        yield _fenced(_signature(made[0], node.name, hidden=1) if made else f"class {_header(node)}")
        yield _docstring(node)
        for each, below in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
            yield from _member(each, below, node, members)
    else:
        yield _fenced(ast.unparse(node).replace("'", '"'))


def _member(each: ast.stmt, below: ast.stmt, node: ast.ClassDef, wanted: list[str] | None) -> Iterator[str]:
    """A field with what stands below it, an enumerated word, a method, or a method that is defined elsewhere."""
    if isinstance(each, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
        yield f"- `{ast.unparse(each)}`: {' '.join(str(below.value.value).split())}"
    elif isinstance(each, ast.Assign) and isinstance(each.value, ast.Tuple) and "TextChoices" in ast.unparse(node.bases[0]):
        yield f"- `{_name(each)}`"
    elif isinstance(each, ast.Assign) and isinstance(each.value, ast.Attribute) and node.name == "Client":
        there = _parsed(f"osis_document_client._methods.{ast.unparse(each.value.value)}")
        yield f"#### Client.{_name(each)}"
        for function, _ in _chosen(there, [each.value.attr]):
            yield from _told(function, None, hidden=1)
    elif isinstance(each, ast.FunctionDef) and _is_told(each) and (wanted is None or each.name in wanted):
        yield f"#### {node.name}.{each.name}"
        yield from _function(each, hidden=1)


def _is_told(method: ast.FunctionDef) -> bool:
    sets = any(".setter" in ast.unparse(decorator) for decorator in method.decorator_list)
    return bool(ast.get_docstring(method)) and not method.name.startswith("_") and not sets


def _function(node: ast.FunctionDef, *, hidden: int) -> Iterator[str]:
    returned = ast.unparse(node.returns) if node.returns else "Any"
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    shown = "".join(f"@{name}\n" for name in decorators if name in {"contextmanager", "pytest.fixture", "classmethod"})
    signature = node.name + ":" if "property" in decorators else _signature(node, node.name, hidden=hidden) + " ->"
    yield _fenced(f"{shown}{signature} {returned}")
    yield _docstring(node)


def _signature(node: ast.FunctionDef, name: str, *, hidden: int) -> str:
    """A call with all its arguments but the first ones that are `hidden`; one to a line where they are many."""
    given = node.args
    defaults = [None] * (len(given.args) - len(given.defaults)) + given.defaults
    shown = [_argument(each, default) for each, default in zip(given.args, defaults, strict=True)][hidden:]
    shown += ["*" + _argument(given.vararg, None)] if given.vararg else ["*"] if given.kwonlyargs else []
    shown += [_argument(each, default) for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    shown += ["**" + _argument(given.kwarg, None)] if given.kwarg else []
    line = f"{name}({', '.join(shown)})"
    return line if len(line) <= 100 else "\n".join([f"{name}(", *(f"    {each}," for each in shown), ")"])


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    said = ast.unparse(argument)
    return said if default is None else f"{said} = {ast.unparse(default)}".replace("'", '"')


def _docstring(node: ast.AST) -> str:
    """A docstring as markdown: its sections as lists, its examples as code."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):  # type: ignore[arg-type]  # of a definition
        first, _, rest = paragraph.partition("\n")
        title, body = _SECTION.fullmatch(first), textwrap.dedent(rest)
        if title and title[1] in {"Returns", "Yields"}:
            parts.append(f"**{title[1]}** {_filled(body)}")
        elif title:
            parts.append(f"**{title[1]}**\n\n" + "\n".join(f"- {_item(each)}" for each in re.split(r"\n(?! )", body)))
        elif _CODE.match(paragraph):
            language = "django" if "{%" in paragraph else "text" if "──" in paragraph else "python"
            parts.append(f"```{language}\n{textwrap.dedent(paragraph)}\n```")
        else:
            parts.append(_filled(paragraph))
    return "\n\n".join(parts)


def _item(text: str) -> str:
    names, colon, meaning = " ".join(text.split()).partition(": ")
    is_named = colon and re.fullmatch(r"[*\w.]+(, [*\w.]+)*", names)
    return re.sub(r"[*\w.]+", r"`\g<0>`", names) + f": {meaning}" if is_named else names + colon + meaning


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 140, break_long_words=False, break_on_hyphens=False)


def _fenced(text: str) -> str:
    return f"```python\n{text}\n```"


def _anchor(heading: str, seen: dict[str, int]) -> str:
    """Where a heading is linked to, as GitHub has it."""
    plain = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
    seen[plain] = seen.get(plain, -1) + 1
    return f"{plain}-{seen[plain]}" if seen[plain] else plain


if __name__ == "__main__":
    for page in PAGES:
        (FOLDER / page).write_text(render(page), encoding="utf-8")
