"""The addresses of a host that has no gateway of its own."""

from typing import Any

urlpatterns: list[Any] = []
