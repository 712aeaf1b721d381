"""``python -m resguardo_server`` is the command ``resguardo``."""

from resguardo_server.cli import main

main()
