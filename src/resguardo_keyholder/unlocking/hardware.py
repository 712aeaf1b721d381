"""A security module (PKCS#11): the key that locks is made inside it and never leaves it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from resguardo.values import Chance, Problem, Refused

_FORMAT: Final = b"rgm1"
_NONCE_BYTES: Final = 12
_CONTEXT: Final = b"rg1/unlock/pkcs11"


class SecurityModule:
    """Locks by AES-256-GCM inside a token of the module; whoever has module and PIN unlocks.

    Each `lock` makes a key of its own in the token (sensitive, not extractable), known by a random number
    that the folder remembers: the older key can then be destroyed there. Where the rules of the module let
    only its officers make keys, `key_number` names the one that they made.
    """

    name: Final = "pkcs11"

    def __init__(
        self,
        module: str,
        token: str,
        pin: str,
        *,
        key_number: str = "",
        chance: Chance = secrets.token_bytes,
    ) -> None:
        """`module`: path of the maker's library; `token`: its label; `key_number`: CKA_ID as hexadecimals."""
        self._module, self._token, self._pin, self._key_number = module, token, pin, key_number
        self._chance = chance

    @property
    def parameters(self) -> Mapping[str, str | int]:
        """What must be remembered to unlock again, and is no secret."""
        return {"module": self._module, "token": self._token, "key_number": self._key_number}

    def lock(self, secret: bytes) -> bytes:
        """The secret, encrypted inside the token."""
        pkcs11 = _library()
        nonce = self._chance(_NONCE_BYTES)
        with self._session(writing=not self._key_number) as session:
            if not self._key_number:
                number = self._chance(16)
                session.generate_key(
                    pkcs11.KeyType.AES,
                    256,
                    id=number,
                    label="resguardo",
                    store=True,
                    capabilities=pkcs11.MechanismFlag.ENCRYPT | pkcs11.MechanismFlag.DECRYPT,
                    template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
                )
                self._key_number = number.hex()
            sealed = self._key(session).encrypt(
                secret,
                mechanism=pkcs11.Mechanism.AES_GCM,
                mechanism_param=pkcs11.GCMParams(nonce, _CONTEXT, 128),
            )
        return _FORMAT + nonce + bytes(sealed)

    def unlock(self, blob: bytes) -> bytes:
        """The secret, decrypted inside the token."""
        pkcs11 = _library()
        start = len(_FORMAT) + _NONCE_BYTES
        if not blob.startswith(_FORMAT) or len(blob) <= start + 16:
            raise Refused(Problem("unlocking.module.other_lock"))
        with self._session(writing=False) as session:
            key = self._key(session)
            try:
                secret = key.decrypt(
                    blob[start:],
                    mechanism=pkcs11.Mechanism.AES_GCM,
                    mechanism_param=pkcs11.GCMParams(blob[len(_FORMAT) : start], _CONTEXT, 128),
                )
            except (pkcs11.MechanismInvalid, pkcs11.MechanismParamInvalid):
                raise
            except pkcs11.PKCS11Error:
                # Modules differ in what they answer to a wrong tag: SoftHSM says a general error.
                raise Refused(Problem("unlocking.module.other_lock")) from None
        return bytes(secret)

    def _key(self, session: Any) -> Any:
        pkcs11 = _library()
        try:
            number = bytes.fromhex(self._key_number)
        except ValueError:
            raise Refused(Problem("unlocking.module.no_key", {"key": self._key_number})) from None
        try:
            return session.get_key(key_type=pkcs11.KeyType.AES, id=number)
        except (pkcs11.NoSuchKey, pkcs11.MultipleObjectsReturned):
            raise Refused(Problem("unlocking.module.no_key", {"key": self._key_number})) from None

    @contextmanager
    def _session(self, *, writing: bool) -> Iterator[Any]:
        """A session with the token; what the module refuses is said in words that name no PIN."""
        pkcs11 = _library()
        try:
            with (
                pkcs11.lib(self._module)
                .get_token(token_label=self._token)
                .open(rw=writing, user_pin=self._pin) as session
            ):
                yield session
        except (pkcs11.NoSuchToken, pkcs11.MultipleTokensReturned):
            raise Refused(Problem("unlocking.module.no_token", {"token": self._token})) from None
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            raise Refused(Problem("unlocking.module.wrong_pin", {"token": self._token})) from None
        except (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized):
            raise Refused(Problem("unlocking.module.pin_locked", {"token": self._token})) from None
        except pkcs11.PKCS11Error as failed:
            facts = {"module": self._module, "answer": str(failed) or type(failed).__name__}
            raise Refused(Problem("unlocking.module.failed", facts)) from None


def _library() -> ModuleType:
    """The package that speaks PKCS#11, which only those who have a module install."""
    try:
        import pkcs11
    except ImportError:
        raise Refused(Problem("unlocking.module.package_missing")) from None
    return pkcs11
