"""The fixtures of the Django app's tests: a project in this process, over a service of its own."""

from tests.django_app.conftest import *  # noqa: F403
from tests.django_app.conftest import _over_the_service  # noqa: F401
