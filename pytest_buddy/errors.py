"""What can go wrong, each with a message and a hint on what to do next."""


class BuddyError(Exception):
    """A problem the person can act on: `message` says what happened, `hint` what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class ConfigError(BuddyError):
    """A setting that is unknown or has a value that cannot be used."""


class SourceError(BuddyError):
    """A file that is not Python source that can be read: undecodable, or not parsable."""


class StaleFileError(BuddyError):
    """A file that has changed since the edit was computed; nothing was written."""


class PatchError(BuddyError):
    """A patch that cannot or must not be applied; nothing was written."""


class RunnerError(BuddyError):
    """The runner process could not be started or has stopped answering."""
