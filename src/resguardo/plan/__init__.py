"""Plan: what a programme asks, why it may ask it, for how long, and what it will count.

*Promises.* A programme that loads is complete: every question that stores an answer has a sensitivity,
every purpose has a legal basis and a retention, every indicator names forms, facts and dimensions that exist,
and no fact comes from an identifier or a free text. A programme that does not load says every fault at once:
file, sheet, row, column, and what to do.

*Trusts.* The person who writes the folder: that the legal basis is true, that the sensitivity fits the
question, that the translations say the same. It trusts the form converter to turn a sound sheet into a sound
XForm.

*Does not protect against.* A question that should not be asked but is asked with a class and a purpose; a
`method.py` that does harm when it is run (loading a programme never runs it); the answers themselves, which
this room never sees.
"""
