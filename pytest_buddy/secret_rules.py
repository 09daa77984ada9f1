"""What secrets look like: a table of shapes, tried only on texts that hold one of their keywords."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_buddy.secret_values import (
    is_bare,
    is_card,
    is_iban,
    is_mixed,
    is_passphrase,
    is_personal_mail,
    is_random,
    is_value,
)

HOME = "home"


def _accepted(_value: str) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a kind of secret looks like: looked for only in texts that hold one of the keywords.

    The pattern of an `anchored` rule begins with one of the keywords, in any case, and is tried only there.
    What stands on a line that `unless` matches is no secret of this kind.
    """

    kind: str
    keywords: tuple[str, ...]
    pattern: str
    group: int | str = 0
    accepts: Callable[[str], bool] = _accepted
    personal: bool = False
    alone: bool = False
    anchored: bool = False
    unless: str = ""

    def spans(self, text: str, lowered: str) -> Iterator[tuple[int, int]]:
        """Where the secrets of this kind stand in the text; with `alone`, only where a word begins."""
        for match in self._matches(text, lowered):
            before = text[match.start() - 1] if self.alone and match.start() else " "
            if before.isalnum() or before == "_" or not self.accepts(match[self.group]):
                continue
            if not (self.unless and re.search(self.unless, _line(text, match.start()))):
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


def _line(text: str, position: int) -> str:
    """The line around a position, cut where it is very long."""
    start = max(text.rfind("\n", 0, position) + 1, position - 300)
    end = text.find("\n", position)
    return text[start : min(end if end >= 0 else len(text), position + 300)]


def _token(kind: str, prefix: str, pattern: str) -> Rule:
    """A token of fixed shape; a pattern that begins with plain text is found many times faster."""
    return Rule(kind=kind, keywords=(prefix.lower(),), pattern=pattern, alone=True)


_ATTRIBUTION = (
    r"(?i)copyright|\(c\)\s|©|author(?:s\b|_|\b)|\bcontact\b|maintain|contribut|\bwritten\b|"
    r"\bcredits?\b|licen[cs]|(?:signed-off|reported|suggested|fixed|rewritten|modified|adapted|ported|patch(?:es)?|"
    r"code|work|original\w*|implementation|created|developed|bugfix\w*|changes) by\b|\bthanks\b|"
    r"^\W{0,4}by [A-Z]|^# ?[A-Z][\w.]+ [A-Z][\w. ]+ <"
)
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
    r"|[\"'][ \t]{0,4},(?!\s*\n))\s{0,8}"
)
_QUOTED = r"[fbruFBRU]{0,2}\\?([\"'])(?P<value>(?:\\[^\n]|(?!\1)[^\\\n]){4,400}?)\\?\1"
_PHRASE = r"\\?[\"']?\]?\s{0,4}[:=]\s{0,4}(?P<quote>[\"'])(?P<value>[^\"'\n]{11,200})(?P=quote)"
_ENTRY = (
    r"\\?[\"']?\s{0,3},?\s{1,40}\\?[\"']?value\\?[\"']?\s{0,3}[:=]\s{0,3}"
    r"\\?[\"']?(?P<value>[^\s\"'{}<>\\]{4,400})"
)
_BARE = r"[ \t]{0,3}[=:][ \t]{0,3}(?P<value>[^\s\"'(){}\[\]<>,;`&]{6,200})[ \t]*(?=$|[\s#&,;\"'`)])"


def _assigned(names: str, words: tuple[str, ...], accepts: Callable[[str], bool]) -> tuple[Rule, ...]:
    return (
        Rule(  # {"name": "DB_PASSWORD", "value": "..."}
            kind="assigned",
            keywords=words,
            pattern=rf"(?i:{names}{_NAME_END}{_ENTRY})",
            anchored=True,
            group="value",
            accepts=accepts,
        ),
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
            accepts=lambda value: accepts(value) and is_bare(value),
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
    Rule(  # a secret key that nothing names, beside the access key that it belongs to
        kind="aws_key",
        keywords=("akia", "asia"),
        pattern=(
            r"(?:AKIA|ASIA)[A-Z0-9]{16}[\s\S]{1,120}?(?<![\w/+=-])(?P<value>[A-Za-z0-9/+]{40})(?![\w/+=-])"
        ),
        group="value",
        accepts=is_mixed,
        anchored=True,
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
    _token("telegram_token", "aa", r"\d{8,10}(?::|%3[Aa])AA[\w-]{32,}"),
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
            r"(?:(?:basic|bearer|token|digest|apikey|negotiate)\s{1,3})?(?P<value>[^\s\"'\\,{}<>$()]{8,2000}+)(?!\()"
        ),
        group="value",
        accepts=lambda value: is_value(value) and not value.isalpha(),
    ),
    Rule(
        kind="authorization",
        keywords=("bearer ", "basic "),
        pattern=(r"(?i)(?<![a-z])(?:bearer|basic)\s(?P<value>[\w+/.~-]{16,2000}={0,2})(?![\w(\[])"),
        group="value",
        accepts=lambda value: is_mixed(value) or bool(re.fullmatch(r"(?=.*\d)[0-9a-f-]{20,}", value)),
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
            r"(?i)cookie\\?[\"']?\]?\s{0,4}[:=]\s{0,4}\\?[\"']?(?P<value>[\w.-]{1,60}=[^\s\"',;]{1,2000}"
            r"(?:; ?[\w.-]{1,60}=[^\s\"',;]{1,2000}){0,30})"
        ),
        group="value",
        accepts=lambda value: any(
            len(part) > 12 and is_random(part.partition("=")[2]) for part in value.split("; ")
        ),
    ),
    Rule(
        kind="login",
        keywords=("password ",),
        pattern=(r"\blogin\s{1,9}\S{1,80}\s{1,9}password\s{1,9}(?P<value>\S{4,200})"),
        group="value",
        accepts=lambda value: is_value(value) and not value.isalpha(),
    ),
    Rule(
        kind="login",
        keywords=("machine ",),
        pattern=r"\bmachine\s{1,9}\S{1,80}\s{1,9}login\s{1,9}\S{1,80}\s{1,9}password\s{1,9}(?P<value>\S{4,200})",
        group="value",
        accepts=is_value,
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
            r"(?m)(?:^[ \t+>-]{0,8}(?:export |ENV |set )?[A-Z0-9_]{0,60}?"
            r"(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRET)|^[+-]?[A-Za-z0-9_.-]{0,60}?(?i:password|passwd|passphrase|_pwd|secret))="
            r"(?P<value>[^\s\"'(){}\[\]<>,;`]{4,200})[ \t]*$"
        ),
        group="value",
        accepts=is_value,
    ),
    Rule(
        kind="assigned",
        keywords=_STRONG_WORDS,
        pattern=rf"(?i:{_STRONG}{_NAME_END}){_PHRASE}",
        anchored=True,
        group="value",
        accepts=is_passphrase,
    ),
    *_assigned(_STRONG, _STRONG_WORDS, is_value),
    *_assigned(_WEAK, _WEAK_WORDS, is_random),
    Rule(
        kind="card",
        keywords=tuple("3456"),
        pattern=(
            r"(?<![\w.\-])(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|5\d\d)|3[47]\d\d|35\d\d)"
            r"(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\w\-]|\.\d)"
        ),
        accepts=is_card,
        personal=True,
    ),
    Rule(
        kind="iban",
        keywords=tuple("0123456789"),
        pattern=(r"(?<![\w])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"),
        accepts=is_iban,
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
        accepts=is_personal_mail,
        personal=True,
        unless=_ATTRIBUTION,
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
