"""A small OpenID provider of an institution: discovery, authorization, token and keys over real HTTP.

It signs with a real key, keeps codes for one use, checks PKCE and the client's secret. What it says of whom
is in `claims`; tests change it, or make it lie.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "resguardo-albergue", "secreto-del-proveedor-0123456789"


class Provider:
    """What it knows and what it was asked."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.other_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.algorithm = "RS256"
        self.signs_with: Any = self.key
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.said: dict[str, Any] = {}
        """What discovery says instead of the truth."""
        self.asked: list[dict[str, str]] = []
        """Parameters of each authorization request."""
        self.codes: dict[str, dict[str, str]] = {}
        self.address = ""
        self.has_a_page = False
        """Whether it shows a page with a button before it sends anybody back."""

    def who_is(self, email: str, **more: Any) -> None:
        """From now on it says that whoever comes is this."""
        self.claims = {"sub": "s-" + email, "email": email, "email_verified": True, **more}

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "one", "alg": "RS256", "use": "sig"}]}

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": self.address + "/authorize",
            "token_endpoint": self.address + "/token",
            "userinfo_endpoint": self.address + "/userinfo",
            "jwks_uri": self.address + "/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.said,
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes back to, with a code for one use."""
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, sent: dict[str, str]) -> dict[str, Any] | None:
        """The token for a code, to the client that asked for it and proves it; None to anybody else."""
        asked = self.codes.pop(sent.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or (sent.get("client_id"), sent.get("client_secret")) != (CLIENT, SECRET)
            or asked["redirect_uri"] != sent.get("redirect_uri")
            or asked.get("code_challenge_method") != "S256"
            or asked.get("code_challenge") != proof.rstrip(b"=").decode()
        ):
            return None
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 300, **self.claims}
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode(claims, self.signs_with, algorithm=self.algorithm, headers={"kid": "one"})
        return {
            "access_token": "llave-de-paso",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": signed,
        }


@contextmanager
def provider_running(host: str = "127.0.0.1") -> Iterator[Provider]:
    """A provider that answers at an address of this machine."""
    provider = Provider()

    class Answers(BaseHTTPRequestHandler):
        def log_message(self, *words: Any) -> None:
            pass

        def _json(self, value: Any, status: int = 200) -> None:
            octets = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def _page(self, back: str) -> None:
            octets = (
                '<!doctype html><html lang="es"><title>Proveedor</title><link rel="icon" href="data:,">'
                f'<h1>Cuenta del albergue</h1><a href="{escape(back)}">Permitir</a>'
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            self.wfile.write(octets)

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/.well-known/openid-configuration":
                self._json(provider.discovery())
            elif asked.path == "/keys":
                self._json(provider.keys())
            elif asked.path == "/userinfo":
                self._json(provider.userinfo or {})
            elif asked.path == "/authorize":
                one = {name: values[0] for name, values in parse_qs(asked.query).items()}
                if provider.has_a_page:
                    self._page(provider.authorize(one))
                    return
                self.send_response(302)
                self.send_header("Location", provider.authorize(one))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._json({"error": "not_found"}, 404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            given = provider.token({name: values[0] for name, values in parse_qs(body).items()})
            self._json(given or {"error": "invalid_grant"}, 200 if given else 400)

    server = ThreadingHTTPServer((host, 0), Answers)
    provider.address = f"http://{host}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
