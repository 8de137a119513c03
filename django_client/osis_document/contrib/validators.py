"""The validators, under the name that they are also known by."""

from ..validators import TokenValidator

__all__ = ["TokenValidator"]
