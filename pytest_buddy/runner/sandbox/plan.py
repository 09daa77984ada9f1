"""What the launcher is told: a plain class and marshal, as dataclasses and json would double its start."""

import marshal


class Plan:
    """Everything the launcher needs to build a confinement and start a program in it; paths are bytes.

    `links` are (link, target) to recreate, `readable` what is bound read-only, `writable` what is bound with
    writing allowed, `temporary` the temporary directory or, where the file system is shared, where to make
    one (and the home in it), `hidden` what is covered by nothingness although its parent is visible.
    """

    def __init__(
        self,
        *,
        level: str,
        parent: int,
        arguments: tuple[bytes, ...],
        environment: dict[bytes, bytes],
        directory: bytes,
        root: bytes,
        home: bytes,
        temporary: bytes,
        overlay: bool,
        links: tuple[tuple[bytes, bytes], ...],
        readable: tuple[bytes, ...],
        writable: tuple[bytes, ...],
        hidden: tuple[bytes, ...],
        files: tuple[tuple[bytes, bytes], ...],
        keep: tuple[int, ...],
        memory: int,
    ) -> None:
        self.level = level
        self.parent = parent
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.root = root
        self.home = home
        self.temporary = temporary
        self.overlay = overlay
        self.links = links
        self.readable = readable
        self.writable = writable
        self.hidden = hidden
        self.files = files
        self.keep = keep
        self.memory = memory

    def dump(self) -> bytes:
        """The bytes that `load` reads, for the same version of Python."""
        return marshal.dumps(vars(self))

    @classmethod
    def load(cls, data: bytes) -> "Plan":
        """The plan that was dumped; only ever given what our own parent process wrote."""
        return cls(**marshal.loads(data))  # noqa: S302  our own parent's bytes
