"""The keyholder: a program of its own that alone holds the keys of the institutions.

*Promises.* No key ring lies on a disk in clear: each is an age file for one identity, and the identity
itself is locked by a passphrase, by shares of words on paper, by a security module or by a transit engine. A
ring is written whole or not at all, and the older one stays until the newer one was read back. A ring file
that somebody else made, or that was moved to another institution's name, is refused.

*Trusts.* The account that it runs under, that account's folder, and the machine's root; the memory of this
program while it runs; age (X25519, scrypt, ChaCha20-Poly1305) as the `pyrage` package does it, SLIP-39 as
`shamir-mnemonic` does it, and the security module or transit engine that the administrator names.

*Does not protect against.* Root, or whoever runs code as the keyholder, while it is unlocked. An older ring
file put back in place of the newer one. A passphrase that lies beside the rings protects copies of the rings
alone, not the machine. A key that was destroyed lives on in older copies of the folder for whoever can still
unlock those, until the identity is renewed. Python cannot promise that bytes it let go of are gone from
memory.
"""

from pathlib import Path

from resguardo.plan.languages import teach

teach("keyholder", Path(__file__).parent / "words")
teach("unlocking", Path(__file__).parent / "unlocking" / "words")
