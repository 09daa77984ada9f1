"""Our own corpus of secrets, made from seeds: every kind in every place where it may turn up.

Every secret is put together from pieces here, so that no scanner takes this file for a leak.
"""

# ruff: noqa: E501

import base64
import random
import re
import string
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + string.digits
_WORD = string.ascii_letters + string.digits
_WORDS = re.findall(
    r"\w+",
    "amber anchor basil beacon cactus candle copper coral dragon ember fabric falcon garnet harbor ivory jungle "
    "kettle lantern marble meadow nectar orchid pepper quartz raven saddle timber umbrella velvet walnut yonder zephyr",
)

Made = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text with one secret in it."""

    kind: str
    place: str
    text: str
    secret: str

    def leaks(self, redacted: str) -> bool:
        """Whether the secret, or more than half of it in one piece, is still to be read."""
        secret = self.secret
        piece = max(4, len(secret) // 2 + 1)
        return any(secret[start : start + piece] in redacted for start in range(len(secret) - piece + 1))


def _some(alphabet: str, length: int) -> Made:
    return lambda dice: "".join(dice.choice(alphabet) for _ in range(length))


def _after(prefix: str, alphabet: str, length: int) -> Made:
    rest = _some(alphabet, length)
    return lambda dice: prefix + rest(dice)


def _human(dice: random.Random) -> str:
    """A password as people choose them."""
    first, second = dice.sample(_WORDS, 2)
    number = str(dice.randint(1, 9999))
    return dice.choice(
        (
            f"{first.title()}{number}!",
            f"{first}{number}",
            f"{first}-{second}-{number}",
            f"{first.title()}{second.title()}{number}",
            first.replace("a", "4").replace("e", "3") + "$" + number,
            f"{first}{second}",
        )
    )


def _jwt(dice: random.Random) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(b'{"sub":"%d"}' % dice.getrandbits(60)).decode().rstrip("=")
    return f"{head}.{body}.{_some(_WORD + '_-', 43)(dice)}"


def _pem(dice: random.Random) -> str:
    body = "\n".join(_some(_WORD + "+/", 64)(dice) for _ in range(6))
    kind = dice.choice(("RSA ", "EC ", "OPENSSH ", ""))
    return f"-----BEGIN {kind}PRIVATE {'KEY'}-----\n{body}\n-----END {kind}PRIVATE {'KEY'}-----"


def _card(dice: random.Random) -> str:
    digits = [4, *(dice.randrange(10) for _ in range(14))]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
    digits.append(-(sum(digits[1::2]) + doubled) % 10)
    text = "".join(map(str, digits))
    return dice.choice((text, " ".join(text[at : at + 4] for at in range(0, 16, 4))))


def _iban(dice: random.Random) -> str:
    account = _some(string.digits, 18)(dice)
    check = 98 - int(account + "131400") % 97
    return f"DE{check:02}{account}"


def _mail(dice: random.Random) -> str:
    first, second = dice.sample(_WORDS, 2)
    return f"{first}.{second}@" + dice.choice(("mail-company.com", "firm.de", "uni.ac.uk", "startup.io"))


def _phone(dice: random.Random) -> str:
    return f"+{dice.choice(('49', '44', '33'))} {dice.randint(20, 99)} {dice.randint(1000, 9999)} {dice.randint(1000, 9999)}"


def _phrase(dice: random.Random) -> str:
    return " ".join(dice.sample(_WORDS, dice.randint(4, 6)))


# With a shape of their own: found wherever they stand.
SHAPED: dict[str, Made] = {
    "aws access key": _after("AK" + "IA", _UPPER, 16),
    "github token": _after("gh" + "p_", _WORD, 36),
    "github fine-grained token": _after("github" + "_pat_11", _WORD + "_", 80),
    "gitlab token": _after("gl" + "pat-", _WORD, 20),
    "slack token": lambda dice: "xo" + "xb-" + _some(string.digits, 12)(dice) + "-" + _some(_WORD, 24)(dice),
    "stripe key": _after("sk" + "_live_", _WORD, 24),
    "openai key": _after("sk" + "-proj-", _WORD, 60),
    "anthropic key": _after("sk" + "-ant-api03-", _WORD + "_-", 90),
    "google api key": _after("AI" + "za", _WORD + "_-", 35),
    "google oauth token": _after("ya" + "29.", _WORD + "_-", 60),
    "npm token": _after("np" + "m_", _WORD, 36),
    "pypi token": _after("py" + "pi-AgEIcHlwaS5vcmc", _WORD + "_-", 90),
    "hugging face token": _after("h" + "f_", string.ascii_letters, 34),
    "sendgrid key": lambda dice: "S" + "G." + _some(_WORD, 22)(dice) + "." + _some(_WORD, 43)(dice),
    "twilio key": _after("S" + "K", _HEX, 32),
    "mailgun key": _after("key" + "-", _HEX, 32),
    "digitalocean token": _after("do" + "p_v1_", _HEX, 64),
    "shopify token": _after("sh" + "pat_", _HEX, 32),
    "databricks token": _after("da" + "pi", _HEX, 32),
    "vault token": _after("hv" + "s.", _WORD, 28),
    "telegram token": lambda dice: (
        _some(string.digits, 10)(dice) + ":A" + "A" + _some(_WORD + "_-", 33)(dice)
    ),
    "docker token": _after("dc" + "kr_pat_", _WORD + "_-", 27),
    "jwt": _jwt,
}
# Known by the name beside them.
NAMED: dict[str, tuple[tuple[str, ...], Made]] = {
    "password": (("password", "db_password", "PASSWD", "smtpPassword", "user_pwd"), _human),
    "random password": (("password", "admin_password", "passwd"), _some(_WORD + "!#%*+-_?@^", 16)),
    "api key": (("api_key", "apikey", "API_KEY", "serviceApiKey", "x-api-key"), _some(_WORD, 32)),
    "hex key": (("encryption_key", "signing_key", "private_key"), _some(_HEX, 64)),
    "opaque token": (("access_token", "refresh_token", "auth_token", "token"), _some(_WORD + "_-", 40)),
    "client secret": (("client_secret", "CLIENT_SECRET", "oauth_secret"), _some(_WORD + "~._-", 36)),
    "aws secret": (("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "secretAccessKey"), _some(_WORD + "/+", 40)),
    "uuid token": (
        ("api_token", "access_token"),
        lambda dice: "-".join(_some(_HEX, size)(dice) for size in (8, 4, 4, 4, 12)),
    ),
}  # fmt: skip
_PLACES = {
    "code": (
        '{name} = "{value}"',
        "client = Client(host, {name}='{value}', timeout=3)",
        'config["{name}"] = "{value}"',
        '    {name}: str = "{value}"',
        'os.environ.setdefault("{name}", "{value}")',
        'assert settings.{name} == "{value}"',
    ),
    "log": (
        "2026-05-01 12:00:01,123 ERROR app.db: connecting with {name}={value} host=db",
        "INFO:root:using {name}: {value}",
        "[debug] request {{'{name}': '{value}', 'user': 'x'}}",
        'level=warn msg="retry" {name}="{value}"',
    ),
    "header": (
        "X-{name}: {value}",
        "> {name}: {value}",
        "curl -H '{name}: {value}' https://api.service.io/v1",
    ),
    "url": (
        "GET /v1/items?{name}={url}&page=2 HTTP/1.1",
        "https://api.service.io/v1/x?{name}={url}",
        "redirect to https://a.service.io/cb?x=1&{name}={url}",
    ),
    ".env": ("{name}={value}\nDEBUG=1\n", 'export {name}="{value}"\n', "A=1\n{name}='{value}'\n"),
    "traceback": (
        "{name} = '{value}'\n\n    def connect(user):\n>       raise ConnectionError(user)\nE   ConnectionError: x",
        "E       ConnectionError: refused for {{'user': 'x', '{name}': '{value}'}}",
        "E       assert login({name}='{value}') is True",
        "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nValueError: bad {name}='{value}'",
    ),
    "data": (
        '{{"{name}": "{value}", "user": "x"}}',
        "db:\n  {name}: {value}\n  host: x\n",
        "{name} = {value}\n",
    ),
}
_BARE_PLACES = {
    "code": ('x = "{value}"', "send('{value}', 3)", "# try {value} first"),
    "log": ("12:00 ERROR got {value}, sorry", "INFO:root:sent {value}"),
    "header": ("X-Custom: {value}", "Authorization: Bearer {value}"),
    "url": ("https://api.service.io/v1/x?q={url}&page=2", "https://api.service.io/{url}/items"),
    ".env": ("VARIABLE={value}\n", 'export VARIABLE="{value}"\n'),
    "traceback": ("E       assert '{value}' == 'x'", "x = '{value}'\n\n>   f(x)\nE   KeyError: '{value}'"),
    "data": ('["{value}", 1]', "- {value}\n"),
}
# With places of their own.
PLACED: dict[str, tuple[Made, dict[str, tuple[str, ...]]]] = {
    "bearer": (
        _some(_WORD, 40),
        {
            "code": ("headers = {{'Authorization': 'Bearer {value}'}}", 'h["Authorization"] = "token {value}"'),
            "log": ("DEBUG send: b'GET / HTTP/1.1\\r\\nAuthorization: Bearer {value}\\r\\n'",),
            "header": ("Authorization: Bearer {value}", "authorization: bearer {value}"),
            "traceback": ("headers = {{'Authorization': 'Bearer {value}', 'Accept': '*/*'}}\nE  HTTPError: 401",),
        },
    ),
    "basic login": (
        lambda dice: base64.b64encode(f"app:{_human(dice)}-{dice.getrandbits(40)}".encode()).decode(),
        {
            "code": ("headers['Authorization'] = 'Basic {value}'",),
            "header": ("Authorization: Basic {value}", "Proxy-Authorization: Basic {value}"),
            "log": ("> Authorization: Basic {value}",),
        },
    ),
    "url password": (
        _human,
        {
            "code": ('engine = create_engine("postgresql+psycopg://app:{url}@db.host:5432/app")',),
            "url": ("https://deploy:{url}@git.firm.io/repo.git", "amqp://guest:{url}@queue:5672//"),
            ".env": ("DATABASE_URL=mysql://root:{url}@localhost/app\n", 'REDIS_URL="redis://:{url}@cache:6379/0"\n'),
            "log": ("ERROR could not connect to postgres://app:{url}@db:5432/app",),
            "traceback": ("E   OperationalError: (postgres://app:{url}@db/app) timeout", "url = 'ftp://a:{url}@h/x'"),
        },
    ),
    "private key": (
        _pem,
        {
            "code": ('KEY = """{value}"""', "KEY = {value!r}"),
            ".env": ('PRIVATE_KEY="{value}"\n',),
            "log": ("loaded {value} from disk",),
            "traceback": ("key = {value!r}\nE   ValueError: bad key",),
        },
    ),
    "session cookie": (
        _some(_WORD, 32),
        {
            "header": ("Cookie: theme=dark; sessionid={value}", "Set-Cookie: session={value}; HttpOnly; Path=/"),
            "code": ("headers = {{'Cookie': 'sessionid={value}'}}",),
            "log": ("send: Cookie: sid={value}; lang=en",),
        },
    ),
    "curl login": (
        _human,
        {
            "code": ("$ curl -u admin:{value} http://localhost:8080/x",),
            "log": ("+ curl --user deploy:{value} https://repo.firm.io/upload",),
        },
    ),
    "netrc": (_human, {"data": ("machine api.firm.io login app password {value}\n",)}),
    "azure key": (
        lambda dice: _some(_WORD + "/+", 86)(dice) + "==",
        {
            "code": ('C = "DefaultEndpointsProtocol=https;AccountName=x;AccountKey={value};EndpointSuffix=y"',),
            ".env": ("CONN=Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey={value}\n",),
            "log": ("using AccountName=x;AccountKey={value}",),
        },
    ),
    "webhook": (
        lambda dice: "T" + _some(_UPPER, 8)(dice) + "/B" + _some(_UPPER, 8)(dice) + "/" + _some(_WORD, 24)(dice),
        {
            "code": ('post("https://hooks.slack.com/services/{value}", x)',),
            "url": ("https://hooks.slack.com/services/{value}",),
            ".env": ("SLACK_URL=https://hooks.slack.com/services/{value}\n",),
        },
    ),
    "kubernetes variable": (
        _human,
        {"data": ('{{"name": "DB_PASSWORD", "value": "{value}"}}', "- name: SMTP_PASSWORD\n  value: {value}\n")},
    ),
    "passphrase": (
        _phrase,
        {
            "code": ('passphrase = "{value}"', "unlock(passphrase='{value}')", '{{"password": "{value}"}}'),
            ".env": ('GPG_PASSPHRASE="{value}"\n',),
            "traceback": ("passphrase = '{value}'\n\n>   raise ValueError\nE   ValueError",),
        },
    ),
    "aws pair": (
        _some(_WORD + "/+", 40),
        {
            "code": ('boto3.client("s3", "AK' + 'IAIOSFODNN7ABCDEFG", "{value}")',),
            "log": ("creds AK" + "IAIOSFODNN7ABCDEFG {value} loaded",),
            "data": ("AK" + "IAIOSFODNN7ABCDEFG,{value}\n",),
        },
    ),
    "card": (
        _card,
        {
            "code": ('pay("{value}", 12)',),
            "log": ("charged {value} ok",),
            "traceback": ("E  assert '{value}' == ''",),
            "data": ('{{"card": "{value}"}}',),
        },
    ),
    "account number": (
        _iban,
        {"code": ('pay("{value}", 12)',), "log": ("transfer to {value} done",), "data": ('{{"iban": "{value}"}}',)},
    ),
    "mail address": (
        _mail,
        {
            "code": ('send("{value}", text)',),
            "log": ("INFO mail to {value} queued", "From: X Y <{value}>"),
            "traceback": ("E   assert user.mail == '{value}'",),
            "data": ('{{"mail": "{value}"}}',),
        },
    ),
    "phone number": (_phone, {"code": ('call("{value}")',), "log": ("calling {value} now",), "data": ("tel: {value}\n",)}),
    "home directory": (
        lambda dice: dice.choice(_WORDS),
        {
            "traceback": ('  File "/home/{value}/src/app.py", line 3, in f', "/Users/{value}/src/app.py:3: Error"),
            "log": ("opened /home/{value}/.config/app.toml",),
            "code": ('OUT = "/home/{value}/out"', 'OUT = "C:\\\\Users\\\\{value}\\\\out"'),
        },
    ),
}  # fmt: skip


def samples(seeds: int = 6) -> Iterator[Sample]:
    """Every kind in each of its places, with different values each time."""
    for kind, place, template, made, names in _forms():
        for seed in range(seeds):
            dice = random.Random(f"{kind} {place} {template} {seed}")
            value = made(dice)
            name = dice.choice(names)
            url = urllib.parse.quote(value, safe="")
            text = template.format(name=name, value=value, url=url)
            secret = url if "{url}" in template else value
            if "{value!r}" in template:
                secret = repr(value)[1:-1]
            yield Sample(kind=kind, place=place, text=text, secret=secret)


def _forms() -> Iterator[tuple[str, str, str, Made, tuple[str, ...]]]:
    for kind, made in SHAPED.items():
        for place, templates in _BARE_PLACES.items():
            yield from ((kind, place, template, made, ("",)) for template in templates)
    for kind, (names, made) in NAMED.items():
        for place, templates in _PLACES.items():
            yield from ((kind, place, template, made, names) for template in templates)
    for kind, (made, places) in PLACED.items():
        for place, templates in places.items():
            yield from ((kind, place, template, made, ("",)) for template in templates)
