"""Settings of the service. What an installation may change comes from the environment (docs/settings.md)."""

from __future__ import annotations

import os

from resguardo_server.databases import postgresql_settings, sqlite_settings, swap_sqlite

swap_sqlite()

import django_stubs_ext  # noqa: E402
from csp.constants import NONE, SELF  # noqa: E402
from django.conf.locale import LANG_INFO  # noqa: E402

from resguardo_server.place import PACKAGE, own_folder, secret_key  # noqa: E402
from resguardo_server.safe_start import host_of, idle_minutes, refuse_unsafe_start  # noqa: E402

django_stubs_ext.monkeypatch()
LANG_INFO["ht"] = {"bidi": False, "code": "ht", "name": "Haitian Creole", "name_local": "Kreyòl ayisyen"}

VAR = own_folder()
SECRET_KEY = secret_key(VAR)
DEBUG = False
ADDRESS = os.environ.get("RESGUARDO_ADDRESS", "http://127.0.0.1:8000").rstrip("/")
"""How the public reaches this installation."""
SECURE = ADDRESS.startswith("https://")
refuse_unsafe_start(address=ADDRESS, secret=SECRET_KEY, debug=DEBUG)
ALLOWED_HOSTS = [
    *(host for host in os.environ.get("RESGUARDO_HOSTS", "").split(",") if host),
    host_of(ADDRESS),
    "localhost",
    "127.0.0.1",
]
BEHIND_PROXY = os.environ.get("RESGUARDO_BEHIND_PROXY") == "yes"
DEMO = (VAR / "demo-region.json").is_file()
"""True in the folder that `resguardo demo` built: invented people only, and the pages say so."""

KEYHOLDER = str(VAR / "keyholder" / "desk.sock")
"""The keyholder's socket; `inside` in the tests. ``RESGUARDO_KEYHOLDER`` names one that others run."""

DAYS_WITHOUT_GROUND = 30
"""How long a record stays that no purpose keeps alive: long enough to ask the person once more."""

ROTATION_DAYS = int(os.environ.get("RESGUARDO_ROTATION_DAYS", "30"))
"""After how long compartment keys are replaced by themselves."""

BACKUP_DAYS = int(os.environ.get("RESGUARDO_BACKUP_DAYS", "30"))
"""How long a backup is kept: an old key is destroyed so long after it was replaced."""

INSTALLED_APPS = [
    "resguardo_server",
    "wagtail.contrib.simple_translation",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.locales",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_tasks",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "resguardo_server.apps.OpenSessions",
    "axes",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]
MIDDLEWARE = [
    "resguardo_server.pages.guard.headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "resguardo_server.pages.guard.page_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "resguardo_server.pages.guard.Guard",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "resguardo_server.urls"
WSGI_APPLICATION = "resguardo_server.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "resguardo_server.pages.guard.every_page",
            ]
        },
    }
]

DATABASES = {
    "default": postgresql_settings(os.environ["DATABASE_URL"])
    if os.environ.get("DATABASE_URL")
    else sqlite_settings(VAR / "resguardo.sqlite3")
}
if os.environ.get("DATABASE_URL"):
    INSTALLED_APPS.append("django.contrib.postgres")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # The limits of the log-in must hold over all processes: the cache is a table. It is never emptied for
    # want of room: whoever fills it would make it forget which codes were used and how often somebody asked.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entries",
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
}

# Languages and time
LANGUAGE_CODE = "es"
LANGUAGES = [("es", "Español"), ("en", "English"), ("fr", "Français"), ("ht", "Kreyòl")]
WAGTAIL_CONTENT_LANGUAGES = [("es", "Español"), ("en", "English")]
WAGTAILADMIN_PERMITTED_LANGUAGES = [("es", "Español"), ("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
WAGTAIL_I18N_ENABLED = True
USE_TZ = True
TIME_ZONE = "America/Costa_Rica"
WAGTAIL_USER_TIME_ZONES = [
    "America/Costa_Rica",
    "America/Mexico_City",
    "America/Guatemala",
    "America/Panama",
    "America/Santo_Domingo",
    "America/Port_of_Spain",
    "America/Guyana",
]

# Files
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATICFILES_DIRS = [PACKAGE / "static"]
MEDIA_ROOT = VAR / "pictures"
MEDIA_URL = "/pictures/"
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

# Log-in: an address, a password, and always a second factor; see docs/signing-in.md
AUTH_USER_MODEL = "resguardo_server.Member"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/me/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "resguardo_server.pages.signing_in.ClosedAccounts"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
# One network may not ask without end; who guesses for one account waits longer each time (pages/lock_out.py).
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "30/m/ip"}
MFA_ADAPTER = "resguardo_server.pages.signing_in.SealedCodes"
MFA_RATE_LIMITS = {"webauthn_login": "30/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
MFA_TOTP_ISSUER = "Resguardo"
MFA_FORMS = {
    "add_webauthn": "resguardo_server.pages.signing_in.PasskeyForm",
    "authenticate": "resguardo_server.pages.signing_in.CodeForm",
    "authenticate_webauthn": "resguardo_server.pages.signing_in.PasskeyAfterPasswordForm",
    "reauthenticate": "resguardo_server.pages.signing_in.CodeAgainForm",
    "reauthenticate_webauthn": "resguardo_server.pages.signing_in.PasskeyAgainForm",
    "login_webauthn": "resguardo_server.pages.signing_in.PasskeyAloneForm",
}
SOCIALACCOUNT_ADAPTER = "resguardo_server.pages.openid.MembersOnly"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True}}
SOCIALACCOUNT_LOGIN_ON_GET = True
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
AXES_HANDLER = "resguardo_server.pages.lock_out.ByAccountAndNetwork"
AXES_CLIENT_IP_CALLABLE = "resguardo_server.pages.lock_out.network_of"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# Sessions and transport
SESSION_ENGINE = "resguardo_server.session_store"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
IDLE_SECONDS = 60 * idle_minutes(os.environ.get("RESGUARDO_IDLE_MINUTES"))
"""After so long without use a session is over."""
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
if SECURE:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_SSL_REDIRECT = not BEHIND_PROXY
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
WHITENOISE_ALLOW_ALL_ORIGINS = False
CSRF_TRUSTED_ORIGINS = [ADDRESS]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": [NONE],
    }
}

# The newsroom
WAGTAIL_SITE_NAME = "Resguardo"
WAGTAILADMIN_BASE_URL = ADDRESS
WAGTAILADMIN_LOGIN_URL = "account_login"
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_AUTOSAVE_INTERVAL = 0
WAGTAIL_WORKFLOW_ENABLED = False
WAGTAIL_ALLOW_UNICODE_SLUGS = False
WAGTAILADMIN_COMMENTS_ENABLED = False
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAILIMAGES_EXTENSIONS = ["jpg", "jpeg", "png", "webp"]
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend", "QUEUES": []}}

# Logs: what went wrong and where, never a body, an answer or a local variable
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"quiet": {"()": "resguardo_server.quiet_log.NoPersonalText"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["quiet"]},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
# The middleware of axes answers locks that axes found; ours are said in the form.
SILENCED_SYSTEM_CHECKS = ["axes.W002"]
