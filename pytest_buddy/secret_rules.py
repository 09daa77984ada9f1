"""What secrets look like: a table of shapes, tried only on texts that hold one of their keywords."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

HOME = "home"
INNOCENT = re.compile(
    r"(?i)(?:admin|argon2|basic|bcrypt|bearer|bytes|changeme|credentials?|default|dummy|email|empty|example|"
    r"false|fake|field|foobar|form|hidden|input|invalid|label|letter|login|md5|missing|mock|name|none|null|number|"
    r"oauth2?|object|optional|pass|passwd|password|passphrase|placeholder|plain|postgres|prompt|pwd|redacted|"
    r"required|root|sample|sha256|somepassword|string|test|testing|text|token|true|unset|user|username|value|"
    r"wrong)"
)


def _accepted(_value: str) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a kind of secret looks like: looked for only in texts that hold one of the keywords.

    The pattern of an `anchored` rule begins with one of the keywords, in any case, and is tried only there.
    """

    kind: str
    keywords: tuple[str, ...]
    pattern: str
    group: int | str = 0
    accepts: Callable[[str], bool] = _accepted
    personal: bool = False
    alone: bool = False
    anchored: bool = False

    def spans(self, text: str, lowered: str) -> Iterator[tuple[int, int]]:
        """Where the secrets of this kind stand in the text; with `alone`, only where a word begins."""
        for match in self._matches(text, lowered):
            before = text[match.start() - 1] if self.alone and match.start() else " "
            if not (before.isalnum() or before == "_") and self.accepts(match[self.group]):
                yield match.span(self.group)

    def _matches(self, text: str, lowered: str) -> Iterator[re.Match[str]]:
        pattern = re.compile(self.pattern)  # here, not in the table: most texts need few of the patterns
        if not self.anchored or len(lowered) != len(text):  # some letters are longer in lower case
            yield from pattern.finditer(text)
            return
        for keyword in self.keywords:
            position = lowered.find(keyword)
            while position >= 0:
                if match := pattern.match(text, position):
                    yield match
                position = lowered.find(keyword, position + len(keyword))


def _token(kind: str, prefix: str, pattern: str) -> Rule:
    """A token of fixed shape; a pattern that begins with plain text is found many times faster."""
    return Rule(kind=kind, keywords=(prefix.lower(),), pattern=pattern, alone=True)


def _mixed(value: str) -> bool:
    """Whether the value has a digit and letters of both cases, as random tokens do."""
    return bool(re.search(r"\d", value) and re.search("[a-z]", value) and re.search("[A-Z]", value))


_CODE = re.compile(
    r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[\w.]+\(.*\)|.*\{[^}]*\}.*|<.*>|"
    r"\$\{?\w+\}?|\$\(.*\)|.*%\(?\w*\)?[sd].*|%\w+%|[*xX.?#_\-\s]+|[./~\\].*|[a-z]+://.*|.*\\[nrt].*"
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
    return not (_CODE.fullmatch(value) or _SPEAKING.fullmatch(value))


def _is_random(value: str) -> bool:
    """Whether it is a secret and looks like one made by a machine."""
    if len(value) < 8 or not is_value(value):
        return False
    return bool(re.search(r"\d", value) and re.search("[A-Za-z]", value)) or len(value) >= 24


def _is_bare(value: str) -> bool:
    """Whether a text without quotes is a secret: it must not be able to be a name in code."""
    if not is_value(value) or not re.search(r"\d", value):
        return False
    return (
        not value.isidentifier() or _mixed(value) or not re.search(r"[a-z]_|_[a-z]|^\w+?\d\d?$", value[:-1])
    )


def _luhn(value: str) -> bool:
    digits = [int(character) for character in value if character.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _iban(value: str) -> bool:
    flat = value.replace(" ", "")
    if not 15 <= len(flat) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in flat[4:] + flat[:4])) % 97 == 1


def _mail(value: str) -> bool:
    local, _, domain = value.lower().partition("@")
    reserved = re.search(r"(?:^|\.)(?:example(?:\.\w+)?|test|invalid|localhost|local)$", domain)
    return not reserved and local not in ("git", "hg", "user", "me", "noreply", "no-reply")


_STRONG_WORDS = ("pass", "pwd", "secret")
_KEY_WORDS = ("api", "access", "account", "private", "encryption", "signing", "auth", "master", "shared")
_WEAK_WORDS = ("token", "credential", *_KEY_WORDS)
URL_PASSWORD = re.compile(
    r"(?<![A-Za-z])[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"'<>?#]{0,80}:(?P<value>[^\s/@\"'<>]{3,200})@"
)
_STRONG = r"(?:password|passwd|passphrase|passcode|pwd|secret|(?<![a-z])pass)"
_WEAK = rf"(?:token|credential|(?:{'|'.join(_KEY_WORDS)})[_-]?key)"
_NAME_END = r"(?:s|[_-]?(?:value|key|hash|base64|b64|prod|dev|test|default|\d{1,3}))?"
_SETS = (
    r"(?:\\?[\"']?\]?\s{0,8}(?::\s{0,2}[A-Za-z_.]{1,20}(?:\[str\]|\s\|\sNone)?\s{0,8}=|=>|:=|[=!]=|[:=])"
    r"|[\"']\s{0,4},)\s{0,8}"
)
_QUOTED = r"[fbruFBRU]{0,2}\\?([\"'])(?P<value>(?:\\[^\n]|(?!\1)[^\\\n]){4,400}?)\\?\1"
_BARE = r"[ \t]{0,3}[=:][ \t]{0,3}(?P<value>[^\s\"'(){}\[\]<>,;`&]{6,200})[ \t]*(?=$|[\s#&,;\"'`)])"


def _assigned(names: str, words: tuple[str, ...], accepts: Callable[[str], bool]) -> tuple[Rule, Rule]:
    return (
        Rule(
            kind="assigned",
            keywords=words,
            pattern=(rf"(?i:{names}{_NAME_END}){_SETS}{_QUOTED}"),
            anchored=True,
            group="value",
            accepts=accepts,
        ),
        Rule(
            kind="assigned",
            keywords=words,
            pattern=rf"(?m)(?i:{names}{_NAME_END}){_BARE}",
            anchored=True,
            group="value",
            accepts=lambda value: accepts(value) and _is_bare(value),
        ),
    )


# Token families first: of two rules that find the same text the earlier one names it.
RULES: tuple[Rule, ...] = (
    Rule(
        kind="private_key",
        keywords=("private key",),
        pattern=(
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?=[\s\S]{0,200}?[A-Za-z0-9+/=]{24})"
            r"(?:(?!-----)[\s\S]){0,20000}(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?"
        ),
    ),
    *(
        _token("aws_key", prefix, rf"{prefix}[A-Z0-9]{{16}}(?![A-Za-z0-9])")
        for prefix in ("AKIA", "ASIA", "ABIA", "ACCA")
    ),
    *(_token("github_token", f"gh{kind}_", rf"gh{kind}_[A-Za-z0-9]{{30,255}}") for kind in "pousr"),
    _token("github_token", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
    _token("gitlab_token", "gl", r"gl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|soat|oas)-[\w-]{20,}"),
    _token("slack_token", "xox", r"xox[a-z](?:\.[a-z]+)?-[A-Za-z0-9-]{10,}"),
    _token("slack_token", "xapp-", r"xapp-\d-[A-Za-z0-9-]{10,}"),
    Rule(
        kind="webhook",
        keywords=("hooks.slack.com", "/api/webhooks/", "webhook.office.com"),
        pattern=(
            r"(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks|"
            r"webhook\.office\.com/webhookb2)/(?P<value>[\w/@.-]{20,})"
        ),
        group="value",
    ),
    _token("stripe_key", "_live_", r"(?:sk|rk|pk)_live_[0-9A-Za-z]{10,}"),
    _token("stripe_key", "k_test_", r"(?:sk|rk)_test_[0-9A-Za-z]{16,}"),
    _token("stripe_key", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,}"),
    _token("anthropic_key", "sk-ant-", r"sk-ant-[\w-]{20,}"),
    Rule(
        kind="openai_key",
        keywords=("sk-",),
        pattern=(r"(?<![A-Za-z0-9_-])sk-(?:proj-|svcacct-|admin-|or-v1-)?[\w-]{20,}"),
        accepts=lambda value: bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z0-9]{16}", value)),
    ),
    _token("google_key", "AIza", r"AIza[\w-]{35}"),
    _token("google_key", "ya29.", r"ya29\.[\w-]{20,}"),
    _token("google_key", "GOCSPX-", r"GOCSPX-[\w-]{20,}"),
    _token("npm_token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _token("pypi_token", "pypi-", r"pypi-[\w-]{50,}"),
    _token("huggingface_token", "hf_", r"hf_[A-Za-z0-9]{30,}"),
    _token("sendgrid_key", "sg.", r"SG\.[\w-]{16,}\.[\w-]{16,}"),
    _token("twilio_key", "sk", r"SK[0-9a-f]{32}(?![0-9A-Za-z])"),
    _token("mailgun_key", "key-", r"key-[0-9a-f]{32}"),
    _token("mailchimp_key", "-us", r"[0-9a-f]{32}-us\d{1,2}"),
    _token("digitalocean_token", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _token("shopify_token", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _token("square_token", "sq0", r"sq0(?:atp|csp|idp)-[\w-]{22,}"),
    _token("databricks_token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _token("vault_token", "hv", r"hv[sbr]\.[\w-]{24,}"),
    _token("doppler_token", "dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.]{40,}"),
    _token("linear_key", "lin_api_", r"lin_api_[A-Za-z0-9]{32,}"),
    _token("newrelic_key", "nrak-", r"NRAK-[A-Z0-9]{27}"),
    _token("grafana_token", "glsa_", r"glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}"),
    _token("grafana_token", "glc_", r"glc_[A-Za-z0-9+/=]{32,}"),
    _token("age_key", "age-secret-key-", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    _token("telegram_token", ":aa", r"\d{8,10}:AA[\w-]{32,}"),
    _token("atlassian_token", "atatt3", r"ATATT3[\w=-]{60,}"),
    _token("docker_token", "dckr_", r"dckr_(?:pat|oat)_[\w-]{20,}"),
    _token("terraform_token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}"),
    _token("sentry_token", "sntry", r"sntry[su]_[\w+/=]{40,}"),
    _token("postman_key", "pmak-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _token("rubygems_key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _token("model_key", "gsk_", r"gsk_[A-Za-z0-9]{40,}"),
    _token("model_key", "pplx-", r"pplx-[A-Za-z0-9]{40,}"),
    _token("model_key", "xai-", r"xai-[A-Za-z0-9]{40,}"),
    _token("model_key", "r8_", r"r8_[A-Za-z0-9]{37}"),
    _token("notion_token", "ntn_", r"ntn_[A-Za-z0-9]{40,}"),
    _token("fly_token", "fo1_", r"fo1_[\w-]{40,}"),
    _token("jwt", "eyj", r"(?<!\w)eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"),
    Rule(
        kind="azure_key",
        keywords=("accountkey=", "sharedaccesskey=", "sig="),
        pattern=(r"(?i)(?:AccountKey|SharedAccessKey|[?&;]sig)=(?P<value>[\w+/%-]{30,}={0,2})"),
        group="value",
    ),
    Rule(
        kind="url_password",
        keywords=("://",),
        pattern=URL_PASSWORD.pattern,
        group="value",
        accepts=is_value,
    ),
    Rule(
        kind="authorization",
        keywords=("authorization",),
        pattern=(
            r"(?i)authorization\\?[\"']?\]?\s{0,4}(?:[:=,]|=>)\s{0,4}[fb]?\\?[\"']?"
            r"(?:(?:basic|bearer|token|digest|apikey|negotiate)\s{1,3})?(?P<value>[^\s\"'\\,{}<>$()]{8,2000})"
        ),
        group="value",
        accepts=lambda value: is_value(value) and not value.isalpha(),
    ),
    Rule(
        kind="authorization",
        keywords=("bearer ", "basic "),
        pattern=(r"(?i)(?<![a-z])(?:bearer|basic)\s(?P<value>[\w+/.~-]{16,2000}={0,2})(?![\w(\[])"),
        group="value",
        accepts=lambda value: _mixed(value) or bool(re.fullmatch(r"(?=.*\d)[0-9a-f-]{20,}", value)),
    ),
    Rule(
        kind="login",
        keywords=("-u ", "--user "),
        pattern=(r"(?<!\S)(?:-u|--user)\s{1,3}[\"']?[\w.@-]{1,60}:(?P<value>[^\s\"':/]{4,100})(?=[\s\"']|$)"),
        group="value",
        accepts=is_value,
    ),
    Rule(
        kind="login",
        keywords=("--pass", "--token", "--api-key", "--secret"),
        pattern=(
            r"--(?:password|passwd|passphrase|pass|token|api-key|secret)[ =][\"']?"
            r"(?P<value>[^\s\"'\]\[<>{}$-][^\s\"'\]\[<>{}$]{5,200})"
        ),
        group="value",
        accepts=lambda value: is_value(value) and bool(re.search(r"\d", value)),
    ),
    Rule(
        kind="cookie",
        keywords=("cookie",),
        pattern=(
            r"(?i)cookie\\?[\"']?\]?\s{0,4}[:=]\s{0,4}\\?[\"']?(?P<value>[\w.-]{1,60}=[^\s\"',]{12,2000}"
            r"(?:; ?[\w.-]{1,60}=[^\s\"',;]{1,2000}){0,30})"
        ),
        group="value",
        accepts=lambda value: _is_random(value.partition("=")[2]),
    ),
    Rule(
        kind="login",
        keywords=("password ",),
        pattern=(r"\blogin\s{1,9}\S{1,80}\s{1,9}password\s{1,9}(?P<value>\S{4,200})"),
        group="value",
        accepts=lambda value: is_value(value) and not value.isalpha(),
    ),
    Rule(
        kind="assigned",
        keywords=("</",),
        pattern=(rf"<[\w:-]{{0,40}}(?i:{_STRONG}|{_WEAK})(?:\s[^<>]{{0,80}})?>(?P<value>[^<>\s]{{4,400}})</"),
        group="value",
        accepts=is_value,
    ),
    Rule(
        kind="assigned",
        keywords=_STRONG_WORDS,
        pattern=(
            r"(?m)^[ \t+>-]{0,8}(?:export |ENV |set )?[A-Z0-9_]{0,60}?"
            r"(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRET)=(?P<value>[^\s\"'(){}\[\]<>,;`]{4,200})[ \t]*$"
        ),
        group="value",
        accepts=is_value,
    ),
    *_assigned(_STRONG, _STRONG_WORDS, is_value),
    *_assigned(_WEAK, _WEAK_WORDS, _is_random),
    Rule(
        kind="card",
        keywords=tuple("3456"),
        pattern=(
            r"(?<![\w.\-])(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|5\d\d)|3[47]\d\d|35\d\d)"
            r"(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\w\-]|\.\d)"
        ),
        accepts=_luhn,
        personal=True,
    ),
    Rule(
        kind="iban",
        keywords=tuple("0123456789"),
        pattern=(r"(?<![\w])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"),
        accepts=_iban,
        personal=True,
    ),
    Rule(
        kind="email",
        keywords=("@",),
        pattern=(
            r"(?<![\w.+%/:@-])[A-Za-z0-9][\w.+%-]{0,63}@(?:[A-Za-z0-9-]{2,63}\.){1,4}"
            r"(?:com|org|net|edu|gov|mil|info|io|dev|app|co|me|ai|biz|cloud|tech|email|online|(?!py)[a-z]{2})"
            r"(?![\w(@-]|\.\w)"
        ),
        accepts=_mail,
        personal=True,
    ),
    Rule(
        kind="phone",
        keywords=("+",),
        pattern=(r"(?<![\w\n+=-])\+\d{1,3}[ -]\(?\d{1,5}\)?(?:[ -]\d{2,5}){2,4}(?![\w.]|[ -]\d)"),
        accepts=lambda value: 9 <= sum(character.isdigit() for character in value) <= 15,
        personal=True,
    ),
    Rule(
        kind=HOME,
        keywords=("/home/", "/users/", "\\users\\"),
        pattern=(
            r"(?<![\w.~-])(?:[A-Za-z]:)?(?:/home/|/Users/|\\{1,2}Users\\{1,2})"
            r"(?!(?:Shared|Public|user|username|you|USER|USERNAME|name)\b)[\w][\w.-]{0,63}(?=[/\\:\s\"',;)\]]|$)"
        ),
        personal=True,
    ),
)
