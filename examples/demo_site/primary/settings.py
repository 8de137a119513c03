"""The primary site: it has the models, and the gateway that browsers upload to."""

import os

from django.utils.translation import gettext_lazy as _

SECRET_KEY = "only for the demo"  # noqa: S105 - a real site keeps its own
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "primary.urls"
WSGI_APPLICATION = "primary.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "osis_document",
    "admission",
]
MIDDLEWARE = [
    "content_security_policy.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DEMO_DATABASE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
USE_TZ = True
STATIC_URL = "static/"

# Where `osis_document.urls` is mounted, as browsers see it; the service; and the key that it knows.
OSIS_DOCUMENT_BASE_URL = f"{os.environ['DEMO_PRIMARY']}osis_document/"
OSIS_DOCUMENT_GRPC_TARGET = os.environ["DEMO_TARGET"]
OSIS_DOCUMENT_API_SHARED_SECRET = os.environ["DEMO_SECRET"]
# So many files may be uploaded from one address.
OSIS_DOCUMENT_UPLOAD_LIMIT = os.environ.get("DEMO_UPLOAD_LIMIT", "60/minute")
# Sites that may show the files.
OSIS_DOCUMENT_DOMAIN_LIST = [os.environ["DEMO_SECONDARY"].removeprefix("http://").rstrip("/")]
