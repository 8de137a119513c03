"""The options that every command has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from .. import Backoff, Client, ClientConfig, ConfigurationError

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass
class Settings:
    """What the common options say; they may stand before or behind the command's name."""

    json: bool = False
    target: str | None = None
    api_key_file: Path | None = None
    timeout: float | None = None

    def open_client(self, *, attempts: int = 4) -> Client:
        """Makes a client, which is a context manager.

        Args:
            attempts: how many tries may get nowhere one after the other. Somebody is waiting in front of the screen: by default
                they are told sooner than a server process would be that nobody answers.

        Raises:
            ConfigurationError: there is no address to go to, or the key file is empty.
            OSError: the key file cannot be read.
        """
        api_key = None
        if self.api_key_file is not None:
            api_key = self.api_key_file.read_text(encoding="utf-8").strip()
            if not api_key:
                raise ConfigurationError(f"the key file {self.api_key_file} is empty; write the API key into it")
        config = ClientConfig.from_environment(target=self.target, api_key=api_key, timeout_seconds=self.timeout)
        return Client(config, backoff=Backoff(attempts=attempts))


pass_settings = click.make_pass_decorator(Settings, ensure=True)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    settings = context.ensure_object(Settings)
    if value is not None and value is not False:
        assert parameter.name is not None
        setattr(settings, parameter.name, value)


def common_options(*, hidden: bool, json_help: str = "Print one JSON document, and errors as JSON too.") -> Callable[[_F], _F]:
    """Adds the common options to a command; `--json` is always shown in its help, the others unless they are `hidden`."""

    def decorate(command: _F) -> _F:
        keep: dict[str, Any] = {"expose_value": False, "callback": _keep}
        for option in (
            click.option("--json", is_flag=True, help=json_help, **keep),
            click.option(
                "--timeout",
                type=click.FloatRange(min=0, min_open=True),
                metavar="SECONDS",
                help="How long to wait for each answer (30), or for a whole transfer or job (no limit).",
                hidden=hidden,
                **keep,
            ),
            click.option(
                "--api-key-file",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="File with the API key, instead of OSIS_DOCUMENT_API_KEY.",
                hidden=hidden,
                **keep,
            ),
            click.option(
                "--target",
                metavar="ADDRESS",
                help="The service's address (host:port), instead of OSIS_DOCUMENT_TARGET.",
                hidden=hidden,
                **keep,
            ),
        ):
            command = option(command)
        return command

    return decorate
