"""A secondary site: no models and no database. Its documents belong to a model of the primary site."""

import os

SECRET_KEY = "only for the demo, too"  # noqa: S105 - a real site keeps its own
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "secondary.urls"
INSTALLED_APPS = ["django.contrib.sessions", "django.contrib.staticfiles", "osis_document", "secondary"]
MIDDLEWARE = [
    "content_security_policy.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True
STATIC_URL = "static/"

OSIS_DOCUMENT_BASE_URL = f"{os.environ['DEMO_PRIMARY']}osis_document/"
OSIS_DOCUMENT_GRPC_TARGET = os.environ["DEMO_TARGET"]
OSIS_DOCUMENT_API_SHARED_SECRET = os.environ["DEMO_SECRET"]
