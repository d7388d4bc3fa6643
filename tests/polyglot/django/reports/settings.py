"""A site without a database: what it must remember is in the pool."""

import os
import secrets
import sys
from pathlib import Path

# The client and the worker of the Python example; in a site of your own they are copied into it.
sys.path.insert(0, str(Path(__file__).parents[2] / "python"))

GRPCPOOL_ADDRESS = os.environ.get("GRPCPOOL_ADDRESS", "127.0.0.1:50051")

SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_hex()
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["reports"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware", "reports.pool.Errors"]
ROOT_URLCONF = "reports.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {}
TIME_ZONE = "UTC"
USE_TZ = True
