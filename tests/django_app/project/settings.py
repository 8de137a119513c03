"""The settings of a host. Where the service is, tests say; see `tests/django_app/conftest.py`."""

from django.utils.translation import gettext_lazy as _

SECRET_KEY = "the secret key of the tests' project"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.django_app.project.urls"
WSGI_APPLICATION = "tests.django_app.project.wsgi.application"
USE_TZ = True
TIME_ZONE = "Europe/Brussels"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "osis_document",
    "osis_document_components",
    "tests.django_app.project.dossiers",
    "tests.seed.admission",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    # Where it is, the fixture `postgresql` says.
    "postgresql": {"ENGINE": "django.db.backends.postgresql", "NAME": "hosts", "TEST": {"DEPENDENCIES": []}},
}

OSIS_DOCUMENT_BASE_URL = "http://testserver/osis_document/"
OSIS_DOCUMENT_GRPC_TARGET = "127.0.0.1:1"
OSIS_DOCUMENT_API_SHARED_SECRET = "alpha-secret"
OSIS_DOCUMENT_DOMAIN_LIST = ["127.0.0.1:8001"]
# Tests upload more than people do; those of the limit set their own.
OSIS_DOCUMENT_UPLOAD_LIMIT = None
