"""The only way out for text that others may read: prompts, reports, logs, pages."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from pytest_buddy.domain import Edit
from pytest_buddy.secret_rules import HOME, RULES, URL_PASSWORD
from pytest_buddy.secret_values import INNOCENT, is_value

_SHORTEST = 6  # nothing shorter is taken for a secret
_LONG = 16  # a known secret of this length is masked inside other words, too
_PLACEHOLDER = re.compile(r"<SECRET:[a-z0-9_]+:\d+>")
_SECRET_NAME = re.compile(
    r"(?i)(?:(?:^|_)(?:PASSPHRASE|PASS|KEY|PAT|AUTH|DSN|COOKIE|WEBHOOK)|PASSWORD|PASSWD|._PWD|SECRETS?|TOKENS?|"
    r"API_?KEY|CREDENTIALS?|CONNECTION_?STRING)(?:_?\d+|_(?:ID|VALUE|BASE64|B64|PROD|DEV|TEST|STAGING))?$"
)
_EXACT = frozenset({"path", "diff"})  # what files and edits are found by

T = TypeVar("T")


def redact(text: str, *, environment: Mapping[str, str] | None = None) -> str:
    """The text without credentials and personal data; see `Redactor`, which also restores."""
    return Redactor(environment=environment).redact(text)


class Redactor:
    """Replaces secrets by placeholders such as `<SECRET:aws_key:1>`, the same secret always by the same one.

    Values of environment variables whose names speak of secrets, and `secrets`, are masked wherever they
    stand. Home directories become `~`, which nothing restores.
    """

    def __init__(self, *, environment: Mapping[str, str] | None = None, secrets: Iterable[str] = ()) -> None:
        self._placeholders: dict[str, str] = {}
        self._originals: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        known = {value for name, value in (environment or {}).items() if _SECRET_NAME.search(name)}
        for value in (environment or {}).values():
            known.update(match["value"] for match in URL_PASSWORD.finditer(value) if is_value(match["value"]))
        exact = sorted(_spellings({*filter(_maskable, known), *filter(None, secrets)}))
        self._exact = tuple(re.compile(_bounded(value)) for value in exact)

    def redact(self, text: str) -> str:
        """The text without credentials, mail addresses, card and account numbers, home directories."""
        return self._without(text, personal=True)

    def redact_credentials(self, text: str) -> str:
        """The text without credentials alone: for diffs, which should still apply where possible."""
        return self._without(text, personal=False)

    def cleaned(self, value: T) -> T:
        """A domain value whose texts are redacted; paths, edits and their diffs stay exact."""
        cleaned: T = self._cleaned(value, {})
        return cleaned

    def _cleaned(self, value: Any, known: dict[str, str]) -> Any:
        """`known` holds what was seen before: failures say the same things over and over."""
        if isinstance(value, str):
            if len(value) >= _SHORTEST and value not in known:
                known[value] = self.redact(value)
            return known.get(value, value)
        if isinstance(value, tuple):
            return tuple(self._cleaned(item, known) for item in value)
        if not is_dataclass(value) or isinstance(value, type | Edit):
            return value
        names = (field.name for field in fields(value) if field.name not in _EXACT)
        changed = {
            name: new
            for name in names
            if (new := self._cleaned(old := getattr(value, name), known)) is not old and new != old
        }
        return replace(value, **changed) if changed else value

    @property
    def counts(self) -> Mapping[str, int]:
        """How many different secrets of each kind were replaced so far."""
        return dict(self._counts)

    def restore(self, text: str) -> str:
        """The text with every placeholder of this redactor replaced by what it stands for."""
        return _PLACEHOLDER.sub(lambda match: self._originals.get(match[0], match[0]), text)

    def _without(self, text: str, *, personal: bool) -> str:
        parts: list[str] = []
        position = 0
        for start, end, kind in _merged(sorted(self._found(text, personal=personal))):
            parts += (text[position:start], self._placeholder(kind, text[start:end]))
            position = end
        return "".join((*parts, text[position:]))

    def _found(self, text: str, *, personal: bool) -> Iterator[tuple[int, int, int, str]]:
        for pattern in self._exact:
            yield from ((found.start(), -found.end(), -1, "environment") for found in pattern.finditer(text))
        lowered = text.lower()
        for order, rule in enumerate(RULES):
            if rule.personal and not personal:
                continue
            if any(keyword in lowered for keyword in rule.keywords):
                for start, end in rule.spans(text, lowered):
                    yield start, -end, order, rule.kind

    def _placeholder(self, kind: str, secret: str) -> str:
        if kind == HOME:
            return "~"
        if secret not in self._placeholders:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            placeholder = f"<SECRET:{kind}:{self._counts[kind]}>"
            self._placeholders[secret] = placeholder
            self._originals[placeholder] = secret
        return self._placeholders[secret]


def _merged(found: Iterable[tuple[int, int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Spans that do not overlap; of two that do, the earlier gives the kind and both are covered."""
    current: tuple[int, int, str] | None = None
    for start, negative_end, _, kind in found:
        end = -negative_end
        if current is None or start >= current[1]:
            if current is not None:
                yield current
            current = (start, end, kind)
        elif end > current[1]:
            current = (current[0], end, current[2])
    if current is not None:
        yield current


def _maskable(value: str) -> bool:
    """Whether a value is long and unusual enough to be masked wherever it stands."""
    return (
        len(value) >= _SHORTEST
        and not INNOCENT.fullmatch(value)
        and not value.startswith(("/", "~/", "C:\\"))
    )


def _spellings(secrets: Iterable[str]) -> set[str]:
    """Known secrets as they are, as Python and JSON write them, and the lines of those that have several."""
    found = set()
    for secret in secrets:
        found |= {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]}
        found.update(line for line in secret.splitlines() if len(line) >= _LONG)
    return found


def _bounded(value: str) -> str:
    if len(value) >= _LONG:
        return re.escape(value)
    start = r"(?<!\w)" if value[0].isalnum() else ""
    end = r"(?!\w)" if value[-1].isalnum() else ""
    return f"{start}{re.escape(value)}{end}"
