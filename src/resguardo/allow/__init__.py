"""allow: a record opens for one purpose, on a legal basis, for a short while; otherwise the rule is named.

*Promises.* A `Permit` comes out of `decide` and nowhere else: for a purpose of the programme, a role that
the purpose allows, groups that it opens, within its retention, with a valid consent where consent is the
basis. A denial names the rule and the cure, never what is in the record.

*Trusts.* What it is told: who asks and in which role, the subject's state, the consents on file, the
programme's purposes and the time.

*Does not protect against.* A member of staff who states a purpose that is not the real one: the journal keeps
what was stated. A permit that is used before its end for more openings than were needed. Roles given to the
wrong people.
"""
