"""Settings of the tests: the service's own, in a folder of its own, with the database that is under test."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="resguardo-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["RESGUARDO_VAR"] = _folder
os.environ["RESGUARDO_SECRET_KEY"] = "tests-only-" + "k" * 40
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs a loop in the thread of the tests
os.environ.pop("RESGUARDO_ADDRESS", None)

from resguardo_server.settings import *  # noqa: E402, F403
from resguardo_server.settings import DATABASES  # noqa: E402

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
ALLOWED_HOSTS = ["*"]
KEYHOLDER = "inside"  # answers in the transaction of the test; a few tests drive the process itself
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(_folder, "tests.sqlite3")}
