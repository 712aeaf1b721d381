"""Logs that say what went wrong and where, and nothing that a person wrote."""

from __future__ import annotations

import logging
import re


class NoPersonalText(logging.Filter):
    """Log lines keep the kind of a fault and the place, and lose what a person may have written.

    Addresses lose their query and their receipts; traces are kept without the message of the exception, since
    a database error repeats the values of the row.
    """

    ADDRESS = re.compile(r"(\?)\S*|(/r/)[^\s/]+|(/key/)[^\s/]+")

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self.ADDRESS.sub(
            lambda found: (found[1] or found[2] or found[3]) + "…", record.getMessage()
        )
        record.args = ()
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            lines = []
            while trace is not None:
                code = trace.tb_frame.f_code
                lines.append(f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}")
                trace = trace.tb_next
            record.msg += f" [{kind.__name__} at {' < '.join(reversed(lines))}]"
            record.exc_info, record.exc_text = None, None
        return True
