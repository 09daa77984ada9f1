"""Names that say by themselves that a file or directory is not the person's work."""

import re
from collections.abc import Collection

_NEVER_ENTERED = frozenset({
    ".buddy", ".bzr", ".eggs", ".git", ".hg", ".hypothesis", ".idea", ".ipynb_checkpoints", ".jj",
    ".mypy_cache", ".nox", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode",
    "__pycache__", "htmlcov", "node_modules",
})  # fmt: skip
_BUILT = frozenset({"build", "dist"})
_BUILDERS = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})
_ENVIRONMENT = frozenset({"pyvenv.cfg", "conda-meta"})
_GENERATED = re.compile(r"\.coverage(\..*)?|.*\.py[co]|.*\$py\.class|\.DS_Store|Thumbs\.db", re.DOTALL)

_TEMPORARY = re.compile(
    r"""
    .*~                                          # backups: vim, emacs, gedit, joe
    | 4913 | 5036 | 5159                         # vim's probes
    | .*\.sw[j-p]x? | .*\.un~                    # vim's and nano's swap and undo files
    | \.\#.* | \#.*\#                            # emacs's locks and autosaves
    | .*___jb_(tmp|old|bak)___                   # JetBrains
    | \.goutputstream-.*                         # gedit, through GIO
    | .*\.kate-swp | .*\.kak\.\w{6}              # kate, kakoune
    | .*\.vsctmp                                 # VS Code
    | .*\.te?mp | \.tmp[\w-]*                    # Sublime Text, Zed, and what most programs do
    | .*\.te?mp[.-][0-9A-Fa-f.-]+
    | .*\.\w+\.(?=\w*[A-Z])(?=\w*[a-z])\w{6}     # Qt's atomic writer (kate), rsync
    | .*\.\w+\.\d{7,}                            # Node's
    | sed(?=\w*[A-Z0-9])\w{6}                    # sed -i
    """,
    re.DOTALL | re.VERBOSE,
)


def passing(name: str) -> bool:
    """Whether a file of this name is on its way to another one: an editor's probe, lock, backup or draft."""
    return _TEMPORARY.fullmatch(name) is not None


def generated(name: str) -> bool:
    """Whether a file of this name is written by Python or its tools, never by a person."""
    return _GENERATED.fullmatch(name) is not None


def closed(name: str, beside: Collection[str] = (), inside: Collection[str] = ()) -> bool:
    """Whether a directory is none of ours, by its name, its neighbours' names and those of what it holds."""
    if name in _NEVER_ENTERED or name.endswith(".egg-info") or not _ENVIRONMENT.isdisjoint(inside):
        return True
    return name in _BUILT and not _BUILDERS.isdisjoint(beside) and "__init__.py" not in inside
