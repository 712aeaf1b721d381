"""keep: records sealed under the key of their subject, and a journal in which nothing can be hidden.

*Promises.* A sealed group opens only with its subject's key, in its own place (institution, subject, record,
group, version), under a `Permit`. A changed byte is refused, never half read. A key that is forgotten takes
everything under it along. A journal entry that is changed, left out, moved or added is found by anyone who
has the log's public key and one head that a witness kept.

*Trusts.* Whoever holds the key ring (the keyholder, a process of its own), the chance and the time that are
handed in, AES-256-GCM, HMAC-SHA-256, HKDF and Ed25519 of the `cryptography` package.

*Does not protect against.* Whoever runs code as the keyholder while it is unlocked. It does not hide how many
records there are, how long they are, when they were written, or which two rows have the same blind token. A
journal alone, without a head kept by somebody else, cannot show that its newest part was rolled back.
"""
