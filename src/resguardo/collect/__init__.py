"""Collect: answers arrive in files and become submissions of a form, or are refused with what to mend.

*Promises.* A file is read to its last row in bounded memory, and nothing in it is run. Every row of it is
either a submission that keeps all the form's rules that this room can evaluate, or is refused with all its
problems, each with file, sheet, row, column and cure, and can be written to a file that is mended and
imported again. The same answers give the same canonical bytes, however the file spells them. What a problem
says never repeats an identifier or a sensitive answer. What a sheet says about consent is read as the
programme says it: no yes of a minor stands without a guardian's. What a person is found by is never a
sensitive answer, and never a name alone.

*Trusts.* The form, as `plan` read it (a hostile regular expression in a constraint could keep it busy), and
the parsers of CSV, ZIP and XLSX below it. A rule outside the part of XPath that real forms use is not
evaluated, and then nothing is refused by it.

*Does not protect against.* Answers that keep the rules and are not true; a day and month that were swapped
before they came here; whoever can read the imported file or the file of refused rows, which both hold
personal data in clear.
"""
