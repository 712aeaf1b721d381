"""The transit engine of OpenBao or Vault: the key that locks lives in another machine, which can say no.

Bodies as in the page of the engine's HTTP interface: ``POST /v1/<mount>/encrypt/<key>`` with ``plaintext``
gives ``data.ciphertext``, such as ``vault:v1:…``, and ``data.key_version``; ``decrypt`` goes the other way.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final
from urllib.parse import quote, urlsplit

from resguardo.values import Problem, Refused

_CIPHERTEXT: Final = re.compile(r"[a-z]+:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]+", re.ASCII)
_LONGEST_ANSWER: Final = 65536
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the address that the administrator named and to no other."""

    def redirect_request(self, *told: object) -> None:
        return None


class Transit:
    """Locks by a key that never leaves the engine; whoever has its address and a token for it unlocks.

    The number of the key's version is remembered in the folder: after the key was rotated there, locking anew
    moves to the newest version, and only then may the older one be retired.
    """

    name: Final = "transit"

    def __init__(
        self,
        address: str,
        key: str,
        token: str,
        *,
        mount: str = "transit",
        namespace: str = "",
        authority: str = "",
        timeout: float = 10.0,
        key_version: int = 0,
    ) -> None:
        """`authority`: file with the engine's certificate authority, where the system does not know it."""
        self._address, self._name, self._token = address.rstrip("/"), key, token
        self._mount, self._namespace, self._authority = mount, namespace, authority
        self._timeout, self._key_version = timeout, key_version
        host = urlsplit(self._address)
        plain = host.scheme == "http" and host.hostname in _THIS_MACHINE
        if not host.hostname or not (host.scheme == "https" or plain):
            raise Refused(Problem("unlocking.transit.not_https", {"address": self._address}))

    @property
    def parameters(self) -> Mapping[str, str | int]:
        """What must be remembered to unlock again, and is no secret; the version is 0 before locking."""
        return {
            "address": self._address,
            "key": self._name,
            "mount": self._mount,
            "namespace": self._namespace,
            "authority": self._authority,
            "key_version": self._key_version,
        }

    def lock(self, secret: bytes) -> bytes:
        """The secret as the engine's ciphertext, under the newest version of the key."""
        answer = self._asked("encrypt", {"plaintext": base64.b64encode(secret).decode("ascii")})
        ciphertext = answer.get("ciphertext")
        version = _version(ciphertext)
        if not isinstance(ciphertext, str) or answer.get("key_version", version) != version:
            raise self._strange()
        self._key_version = version
        return ciphertext.encode("ascii") + b"\n"

    def unlock(self, blob: bytes) -> bytes:
        """The secret; refuses a file that is of another version than the folder remembers."""
        try:
            ciphertext = blob.decode("ascii").strip()
        except UnicodeDecodeError:
            raise Refused(Problem("unlocking.transit.other_lock")) from None
        if _version(ciphertext) == 0 or _version(ciphertext) != self._key_version:
            raise Refused(Problem("unlocking.transit.other_lock"))
        answer = self._asked("decrypt", {"ciphertext": ciphertext})
        try:
            return base64.b64decode(str(answer["plaintext"]), validate=True)
        except (KeyError, binascii.Error):
            raise self._strange() from None

    def _asked(self, order: str, body: Mapping[str, str]) -> Mapping[str, object]:
        path = "/".join(quote(part, safe="/") for part in (self._mount.strip("/"), order))
        request = urllib.request.Request(  # noqa: S310  (https, or this machine: see above)
            f"{self._address}/v1/{path}/{quote(self._name, safe='')}",
            data=json.dumps(body).encode("ascii"),
            headers={
                "Content-Type": "application/json",
                "X-Vault-Token": self._token,
                "X-Vault-Request": "true",
                **({"X-Vault-Namespace": self._namespace} if self._namespace else {}),
            },
            method="POST",
        )
        try:
            trusted = ssl.create_default_context(cafile=self._authority or None)
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({}),
                urllib.request.HTTPSHandler(context=trusted),
                _NoRedirect(),
            )
            with opener.open(request, timeout=self._timeout) as answered:
                answer = json.loads(answered.read(_LONGEST_ANSWER))
        except urllib.error.HTTPError as refused:
            refused.close()
            raise self._refusal(refused.code) from None
        except (OSError, HTTPException) as failed:
            facts = {"address": self._address, "answer": str(getattr(failed, "reason", failed))}
            raise Refused(Problem("unlocking.transit.not_reached", facts)) from None
        except ValueError:
            raise self._strange() from None
        found = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise self._strange()
        return found

    def _refusal(self, status: int) -> Refused:
        facts = {"address": self._address, "key": self._name, "status": str(status)}
        codes = {
            400: "unlocking.transit.other_lock",
            403: "unlocking.transit.token",
            404: "unlocking.transit.no_key",
            503: "unlocking.transit.sealed",
        }
        return Refused(Problem(codes.get(status, "unlocking.transit.failed"), facts))

    def _strange(self) -> Refused:
        return Refused(Problem("unlocking.transit.failed", {"address": self._address, "status": "200"}))


def _version(ciphertext: object) -> int:
    found = _CIPHERTEXT.fullmatch(ciphertext) if isinstance(ciphertext, str) else None
    return int(found[1]) if found else 0
