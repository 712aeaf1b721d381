"""The service of Resguardo: tables, what a member can ask for, pages, and the command line."""

from pathlib import Path

from resguardo.plan.languages import teach

teach("server", Path(__file__).parent / "words")
