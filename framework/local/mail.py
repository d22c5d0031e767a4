"""Stands in for the binding that sends mail: prints it to the terminal of the local server."""

import sys
from typing import Final

from framework.log import one_line

__all__ = ["EMAIL", "ConsoleMail"]

EMAIL: Final = "EMAIL"
"""What the binding is called, as in ``[[send_email]]`` of the reference app's wrangler.toml."""

_RULE: Final = "-" * 72


class ConsoleMail:
    """Takes what Workers' ``send_email`` binding takes, and prints it. Nothing leaves this machine."""

    async def send(self, **fields: str) -> None:
        """Print a mail to standard error: ``to``, ``from`` and ``subject``, then the ``text``."""
        head = [f"{name}: {value}" for name, value in fields.items() if name != "text"]
        text = fields.get("text", "").rstrip("\r\n").splitlines()
        lines = [f"mail {_RULE}", *head, "", *text, f"end  {_RULE}"]
        # People may have written some of it, and a terminal would do what it says.
        sys.stderr.write("".join(f"{one_line(line)}\n" for line in lines))
        sys.stderr.flush()
