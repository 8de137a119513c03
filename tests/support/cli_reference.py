"""The reference page of the command line, made from the program itself: `python -m tests.support.cli_reference`."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from osis_document_client.cli.program import program

PAGE = Path(__file__).parents[2] / "docs/reference/cli.md"

_HEAD = """\
<!-- Made from the program by `python -m tests.support.cli_reference`; a test fails when it is out of date. -->

# The command line

`osis-document` comes with `pip install osis-document`. `osis-document COMMAND --help` shows what follows here for one command;
[first documents](../tutorials/first-documents.md) shows it at work.

Results go to stdout; errors (two lines: what failed, what to do), questions and progress bars go to stderr. With `--json` results
are JSON, in the form that protobuf has for the contract's messages (64-bit integers are text there, and so are times), and each
error is one line `{"error": {"reason": …, "code": …, "message": …, "metadata": {…}}}` with the contract's
[error reasons](../../protos/osis/document/v1/error_reason.proto).

An *ID* is a UUID, for which an API key is needed. A *TOKEN* is what `upload --no-confirm` and `token` print; with one, no key is
needed. Where several things are asked for, those that can be done are done, and the others are listed at the end.
"""

#: What click adds to the meaning of an option that is a number.
_RANGE = re.compile(r" +\[[^]]*\]$")

_HIDDEN = "The options `--target`, `--api-key-file` and `--timeout` may stand behind every command, too."


def render() -> str:
    """Makes the page."""
    context = click.Context(program, info_name="osis-document")
    parts = [_HEAD, "## osis-document", *_described(program, context)]
    parts += [_HIDDEN]
    for title, commands in program.sections.items():
        parts.append(f"## {title}")
        for command in commands:
            parts += _section(command, context)
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _section(command: click.Command, above: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=command.name, parent=above)
    yield f"### {context.command_path}"
    yield from _described(command, context)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _section(each, context)


def _described(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```"
    yield from _paragraphs(inspect.cleandoc(command.help or ""))
    options = [each for each in command.params if isinstance(each, click.Option)]
    records = [record for each in options if (record := each.get_help_record(context)) is not None]
    if records:
        rows = "\n".join(f"| `{_cell(name)}` | {_cell(_RANGE.sub('', meaning))} |" for name, meaning in records)
        yield f"| option | what it does |\n|---|---|\n{rows}"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        if not paragraph.startswith("\b"):
            yield textwrap.fill(paragraph, 130, break_long_words=False, break_on_hyphens=False)
            continue
        title, _, lines = paragraph.removeprefix("\b\n").partition("\n")
        kind = "sh" if title.startswith("Example") else "text"
        yield f"{title}\n\n```{kind}\n{inspect.cleandoc(lines)}\n```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
