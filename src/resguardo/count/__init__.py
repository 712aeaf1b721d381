"""Figures about groups of people that are true, agree with each other, and point at no one.

Promises: a table leaves this room only as a `SafeTable`, made by `disclosure.protect` alone; the same set of
records gives the same number in every table; a figure of the protected class hides which of up to nine
neighbouring numbers is the true one, never shows fewer than eleven, and is never corrected by so few records
that the difference would show a person. What is refused never says how many.

Trusts: that the facts it is handed hold one pseudonym and one record key per subject, made under keys that
the reader of a table does not have; that its caller keeps what the ledger remembers of each release sealed,
and shows the ledger every release that was ever made of these facts.

Does not protect against: somebody inside who reads the facts or the process's memory; a figure of the open
class, which is exact by decision (``docs/decisions/0003-exact-figures-of-things.md``); tables published about
the same people by others; and a member who may ask for tables without end and learns from the refusals.
"""
