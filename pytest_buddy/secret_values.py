"""Whether a text that stands where secrets stand is one: no code, placeholder or word."""

import re

INNOCENT = re.compile(
    r"(?i)(?:admin|argon2|basic|bcrypt|bearer|bytes|changeme|credentials?|default|dummy|email|empty|example|"
    r"false|fake|field|foobar|form|hidden|input|invalid|label|letter|login|md5|missing|mock|name|none|null|number|"
    r"oauth2?|object|optional|pass|passwd|password|passphrase|placeholder|plain|postgres|prompt|pwd|redacted|"
    r"required|root|sample|sha256|somepassword|string|test|testing|text|token|true|unset|user|username|value|"
    r"wrong)"
)


def is_mixed(value: str) -> bool:
    """Whether the value has a digit and letters of both cases, as random tokens do."""
    return bool(re.search(r"\d", value) and re.search("[a-z]", value) and re.search("[A-Z]", value))


_CODE = re.compile(
    r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[\w.]+\(.*\)|.*\{[^}]*\}.*|<.*>|"
    r"\$\{?\w+\}?|\$\(.*\)|.*%(?:\(\w+\))?[-#0+]?\d{0,3}[sdrx](?![A-Za-z0-9]).*|%\w+%|[*xX.?#_\-\s]+|[./~\\].*|[a-z]+://.*|.*\\[nrt].*"
)
_SPEAKING = re.compile(
    r"(?i)(?:my|your|the|some|an?|no|old|new|wrong|bad|good|valid|invalid|fake|dummy|test|example|access|refresh|"
    r"reset|user|db|api|auth|csrf|client|x|password|passwd|passphrase|pwd|secret|token|key|field|name|hash|value|"
    r"id|type|here|goes|change|me|insert|replace|with|is|required|incorrect|mismatch|expired|missing|"
    r"[-_ :]){2,}"
)


def is_value(value: str) -> bool:
    """Whether an assigned text is a secret itself, and not code, a placeholder or a word about secrets."""
    if INNOCENT.fullmatch(value) or any(character.isspace() for character in value):
        return False
    return is_machine_made(value) or not (_CODE.fullmatch(value) or _SPEAKING.fullmatch(value))


def is_machine_made(value: str) -> bool:
    """Whether digits are strewn among letters of both cases, as nobody names anything."""
    return (
        len(value) >= 16
        and is_mixed(value)
        and len(re.findall(r"\d+", value)) >= 2
        and not re.search(r"[(){}\[\]<>$]", value)
    )


_SENTENCE = re.compile(
    r"(?i)\b(?:a|an|and|any|are|as|at|be|by|can|cannot|change|choose|confirm|contains?|default|does|enter|error|"
    r"expired|field|file|find|for|forgot|from|has|have|if|in|incorrect|invalid|is|it|key|manager|mismatch|missing|"
    r"must|new|no|not|of|off|old|on|or|passphrase|passwords?|please|required|requires|reset|secrets?|set|should|"
    r"str|the|to|token|too|type|user|using|wrong|was|will|with|your?)\b"
)


def is_passphrase(value: str) -> bool:
    """Whether several words are a secret: three or more without any that make a sentence."""
    words = value.split()
    if not 3 <= len(words) <= 12 or _SENTENCE.search(value) or re.search(r"[{}<>%$()\[\]:;=,|/\\]", value):
        return False
    return value[-1] not in ".!?" and all(len(word) >= 3 for word in words)


def is_random(value: str) -> bool:
    """Whether it is a secret and looks like one made by a machine."""
    if len(value) < 8 or not is_value(value):
        return False
    return bool(re.search(r"\d", value) and re.search("[A-Za-z]", value)) or len(value) >= 24


def is_bare(value: str) -> bool:
    """Whether a text without quotes is a secret: it must not be able to be a name in code."""
    if not is_value(value) or not re.search(r"\d|[A-Z].*[!@#%^*?~]|[!@#%^*?~].*[A-Z]", value):
        return False
    if not value.isidentifier() or is_mixed(value) or re.fullmatch("[0-9a-f]{24,}", value):
        return True
    return not re.search(r"[a-z]_|_[a-z]", value)


def is_card(value: str) -> bool:
    """Whether the check digit of a card number fits."""
    digits = [int(character) for character in value if character.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(value: str) -> bool:
    """Whether the check digits of an account number fit."""
    flat = value.replace(" ", "")
    if not 15 <= len(flat) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in flat[4:] + flat[:4])) % 97 == 1


# Addresses of nobody in particular, and lines on which people give their address to the public.
_ROLES = re.compile(
    r"(?:.*[-_.])?(?:abuse|admin|announce|bar|bugs?|ci|conduct|contact|core|dev|devel|developers?|discuss|errors?|"
    r"feedback|foo|git|hello|help|hg|hostmaster|info|issues|jdoe|john\.?doe|jane\.?doe|legal|list|lists|mail|"
    r"maintainers?|me|name|no-?reply|office|patches|postmaster|press|root|sales|security|sig|sender|recipient|someone|"
    r"support|team|test|user\d*|users|webmaster|you|your\.?name)"
)


def is_personal_mail(value: str) -> bool:
    """Whether an address is one person's: no role, list or example."""
    local, _, domain = value.lower().partition("@")
    reserved = re.search(r"(?:^|\.)(?:example(?:\.\w+)?|test|invalid|localhost|local|domain\.com)$", domain)
    return not reserved and not _ROLES.fullmatch(local) and not re.match(r"(?:lists?|googlegroups)\.", domain)
