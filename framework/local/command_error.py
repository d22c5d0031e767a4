"""The one error that a command shows as a sentence instead of a traceback. Knows no command."""

__all__ = ["CommandError"]


class CommandError(Exception):
    """The command cannot go on; the message is what a person needs to know."""
