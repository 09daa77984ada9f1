"""Names that say by themselves that a file or directory is not the person's work."""

import re
from collections.abc import Collection

_NEVER_ENTERED = frozenset({
    ".buddy", ".bzr", ".eggs", ".git", ".hg", ".hypothesis", ".idea", ".ipynb_checkpoints", ".jj",
    ".mypy_cache", ".nox", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__",
    "htmlcov", "node_modules",
})  # fmt: skip
_BUILT = frozenset({"build", "dist"})
_BUILDERS = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})
_ENVIRONMENT = frozenset({"pyvenv.cfg", "conda-meta"})
_GENERATED = re.compile(r"\.coverage(\..*)?|.*\.py[co]|.*\$py\.class|\.DS_Store|Thumbs\.db", re.DOTALL)

_TEMPORARY = re.compile(
    r"""
    .*~                                   # backups: vim, emacs, gedit, joe
    | \d{4,6}                             # vim's probe 4913, and those after it
    | .*\.sw[a-z]x? | .*\.un~             # vim's and nano's swap and undo files
    | \.\#.* | \#.*\#                     # emacs's locks and autosaves
    | .*___jb_(tmp|old|bak)___            # JetBrains
    | \.goutputstream-.*                  # gedit, through GIO
    | .*\.kate-swp | .*\.kak\.\w{6}       # kate, kakoune
    | .*\.vsctmp                          # VS Code
    | .*\.te?mp | \.te?mp.* | .*\.te?mp[.-].*   # Sublime Text, Zed, and most programs' own way
    | .*\.py[iwx]?\.[A-Za-z0-9_]{6,}      # Qt's and Node's atomic writers: kate, prettier
    | \..+\.\w+\.[A-Za-z0-9]{6}           # rsync
    | sed[A-Za-z0-9]{6}                   # sed -i
    """,
    re.DOTALL | re.VERBOSE,
)


def passing(name: str) -> bool:
    """Whether a file of this name is on its way to another one: an editor's probe, lock, backup or draft."""
    return _TEMPORARY.fullmatch(name) is not None


def generated(name: str) -> bool:
    """Whether a file of this name is written by Python or its tools, never by a person."""
    return _GENERATED.fullmatch(name) is not None


def closed(name: str, beside: Collection[str], inside: Collection[str]) -> bool:
    """Whether a directory is none of ours, by its name, its neighbours' names and those of what it holds."""
    if name in _NEVER_ENTERED or name.endswith(".egg-info") or not _ENVIRONMENT.isdisjoint(inside):
        return True
    return name in _BUILT and not _BUILDERS.isdisjoint(beside) and "__init__.py" not in inside
