"""The rules of Resguardo, in plain Python: no server, network, clock or database of records.

With this package alone a journalist can recompute a figure, an auditor can verify a journal, and another
country's institute can run the same counts.
"""
