"""`osis-document completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Prints a script that completes commands in a shell.

    \b
    Examples:
      osis-document completion bash > ~/.local/share/bash-completion/completions/osis-document
      osis-document completion fish > ~/.config/fish/completions/osis-document.fish
    """
    completion_class = get_completion_class(shell)
    assert completion_class is not None  # the choice above
    click.echo(completion_class(context.find_root().command, {}, "osis-document", "_OSIS_DOCUMENT_COMPLETE").source())
