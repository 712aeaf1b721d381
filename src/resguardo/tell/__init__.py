"""What is said in public, and whether the records bear it out.

Promises: a sentence with a figure is a claim; a claim keeps its recipe, and is judged against a safe table
and nothing else; an item with a claim that is false, cannot be computed or would expose somebody is not
published.

Trusts: that the safe tables it is handed were made by `resguardo.count.disclosure`, and that a claim's
recipe counts what its words say.

Does not protect against: words without figures. A headline that misleads in good grammar passes, and so
does a true figure chosen to mislead; an editor must still read.
"""
