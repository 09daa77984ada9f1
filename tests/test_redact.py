"""Secrets never get out, innocent text stays as it is.

Every secret is put together from pieces here, so that no scanner takes this file for a leak.
"""

import random
import string
import time

import pytest

from pytest_buddy.redact import Redactor, redact

_DIGITS = string.digits
_HEX = "0123456789abcdef"
_WORD = string.ascii_letters + string.digits
_UPPER = string.ascii_uppercase + string.digits


def made(length: int, alphabet: str = _WORD, seed: int = 1) -> str:
    """A text of random characters, the same each time, with a digit, a lower and an upper case letter."""
    chosen = random.Random(f"{seed}{length}{alphabet}")
    text = "".join(chosen.choice(alphabet) for _ in range(length))
    if alphabet == _WORD and length >= 8:
        text = text[:2] + "a7Q" + text[5:]
    return text


TOKENS = {
    "aws access key": "AK" + "IA" + made(16, _UPPER),
    "aws temporary key": "AS" + "IA" + made(16, _UPPER),
    "github classic": "gh" + "p_" + made(36),
    "github server": "gh" + "s_" + made(36),
    "github fine-grained": "github" + "_pat_" + made(22) + "_" + made(59),
    "gitlab": "gl" + "pat-" + made(20),
    "slack bot": "xo" + "xb-" + made(12, _DIGITS) + "-" + made(24),
    "slack app": "xa" + "pp-1-" + made(11, _UPPER) + "-" + made(13, _DIGITS) + "-" + made(64, _HEX),
    "stripe live": "sk" + "_live_" + made(24),
    "stripe webhook": "wh" + "sec_" + made(32),
    "openai": "sk" + "-" + made(48),
    "openai project": "sk" + "-proj-" + made(64),
    "anthropic": "sk" + "-ant-api03-" + made(80),
    "google api": "AI" + "za" + made(35),
    "google oauth": "ya" + "29." + made(60),
    "npm": "np" + "m_" + made(36),
    "pypi": "py" + "pi-AgEIcHlwaS5vcmc" + made(60),
    "hugging face": "h" + "f_" + made(34),
    "sendgrid": "S" + "G." + made(22) + "." + made(43),
    "twilio": "S" + "K" + made(32, _HEX),
    "mailgun": "key" + "-" + made(32, _HEX),
    "mailchimp": made(32, _HEX) + "-us" + "14",
    "digitalocean": "do" + "p_v1_" + made(64, _HEX),
    "shopify": "sh" + "pat_" + made(32, _HEX),
    "databricks": "da" + "pi" + made(32, _HEX),
    "vault": "hv" + "s." + made(30),
    "doppler": "dp" + ".pt." + made(43),
    "new relic": "NR" + "AK-" + made(27, _UPPER),
    "grafana": "gl" + "sa_" + made(32) + "_" + made(8, _HEX),
    "telegram": made(9, _DIGITS) + ":A" + "A" + made(33),
    "docker": "dc" + "kr_pat_" + made(27),
    "postman": "PM" + "AK-" + made(24, _HEX) + "-" + made(34, _HEX),
    "jwt": "ey" + "J" + made(20) + ".ey" + "J" + made(40) + "." + made(43),
    "groq": "gs" + "k_" + made(52),
}

_HUNTER = "hunt" + "er2"
_STRANGE = "s3cr" + "3t!Pa$s"
_BODY = "\n".join(made(64, seed=seed) for seed in range(5))
_PEM = f"-----BEGIN RSA PRIVATE {'KEY'}-----\n{_BODY}\n-----END RSA PRIVATE {'KEY'}-----"

# kind -> (text, what must not be left of it)
PLACES = {
    "assignment": (f'password = "{_HUNTER}"', _HUNTER),
    "assignment in a diff": (f"+    DB_PASSWORD = '{_STRANGE}'", _STRANGE),
    "annotated assignment": (f'secret: str = "{_STRANGE}"', _STRANGE),
    "dict entry": (f'{{"user": "x", "passwd": "{_HUNTER}"}}', _HUNTER),
    "json in a python text": (f'"{{\\"password\\": \\"{_HUNTER}\\"}}"', _HUNTER),
    "keyword argument": (f"connect(host, password='{_STRANGE}')", _STRANGE),
    "subscript": (f'os.environ["API_TOKEN"] = "{made(20)}"', made(20)),
    "default": (f'os.environ.get("SECRET_KEY", "{made(30)}")', made(30)),
    "comparison": (f'assert user.password == "{_HUNTER}"', _HUNTER),
    "env file": (f"A=1\nexport DB_PASSWORD={_STRANGE}\nB=2", _STRANGE),
    "env file without digits": ("+DB_PASSWORD=letme" + "inplease", "letmeinplease"),
    "element": (f"<db><password>{_HUNTER}</password></db>", _HUNTER),
    "netrc": (f"machine db login app password {_STRANGE}", _STRANGE),
    "cookie": (f"Cookie: sessionid={made(32)}; theme=dark", made(32)),
    "phone": ("call +49 30 5550" + " 1234 now", "5550"),
    "yaml": (f"database:\n  password: {_HUNTER}\n", _HUNTER),
    "aws secret": (f"aws_secret_access_key = {made(40)}", made(40)),
    "query": (f"GET /v1/items?api_key={made(24)}&page=2", made(24)),
    "header": (f"X-Api-Key: {made(24)}", made(24)),
    "url password": (f"postgres://app:{_STRANGE}@db:5432/app", _STRANGE),
    "bearer header": (f"Authorization: Bearer {made(30)}", made(30)),
    "basic header in code": (f"headers['Authorization'] = 'Basic {made(24)}=='", made(24)),
    "header in a dict": (f'{{"Authorization": "token {made(30)}"}}', made(30)),
    "curl login": (f"curl -u admin:{_STRANGE} http://localhost", _STRANGE),
    "option": (f"deploy --token={made(24)}", made(24)),
    "azure": (f"AccountName=x;AccountKey={made(86)}==;EndpointSuffix=y", made(86)),
    "webhook": (f"https://hooks.slack.com/services/T{made(8)}/B{made(8)}/{made(24)}", made(24)),
    "private key": (f"key = '''{_PEM}'''", _BODY[:64]),
    "private key cut short": (_PEM[:200], _BODY[:64]),
    "private key in a diff": (_PEM.replace("\n", "\n+"), _BODY[66:100]),
    "private key in a repr": (repr(_PEM), _BODY[:64]),
    "mail address": ("From: jane.roe" + "@" + "mail.company.com", "jane.roe"),
    "card": ("paid with 4111 1111" + " 1111 1111 today", "1111 1111"),
    "account number": ("to DE89 3704 0044" + " 0532 0130 00 please", "0532 0130"),
    "home": ('File "/home/jroe/work/app.py", line 3', "jroe"),
    "home of a mac": ("/Users/jroe/work/app.py", "jroe"),
    "home of windows": ("C:\\Users\\jroe\\work\\app.py", "jroe"),
}

INNOCENT = (
    "pwd=None",
    "password: str | None = None",
    'password = getpass.getpass("Password: ")',
    "password = settings.DATABASE_PASSWORD",
    'password = os.environ["DB_PASSWORD"]',
    'password="<your password>"',
    "password = '${DB_PASSWORD}'",
    'PASSWORD = "{{ vault_password }}"',
    'parser.add_argument("--password", help="the password")',
    'raise ValueError("password: must not be empty")',
    '{"password": "required", "type": "string"}',
    'token = tokens[0]\nif token == "identifier":',
    'token_type = "bearer"',
    "self.token = token\nself.secret = secret",
    'key = "value"\nprimary_key=True, foreign_key="users.id"',
    'secret_name = "prod/db"',
    "def check(password, token=None, *, secret=''): ...",
    "authorization = request.headers.get('Authorization')",
    '"Authorization": f"Bearer {token}"',
    "Authorization: Bearer <token>",
    "git clone git@github.com:owner/name.git",
    "@pytest.mark.parametrize('a', [1])",
    "result = weights@vectors.reshape(2, 3)",
    "user@example.com",
    "https://example.com/home/index.html",
    "https://user@host.example/path",
    "postgres://{user}:{password}@{host}/{name}",
    "import sklearn; name = 'sk-learn-contrib-of-many-words'",
    "the task-management-system-with-a-long-name",
    "1234567890123456",
    "0.4111111111111111",
    "sha256:" + made(64, _HEX),
    "commit " + made(40, _HEX),
    "uuid 123e4567-e89b-12d3-a456-426614174000",
    "-----BEGIN CERTIFICATE-----",
    'if "-----BEGIN PRIVATE KEY-----" in text: return True',
    "assert tokenize('a b') == ['a', 'b']",
    "E       AssertionError: assert 'tokens' == 'token'",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
    "@@ -10,4 +10,4 @@\n+1 23\n+12 34 56 78 90\n",
    "<password>{{ value }}</password> <token>required</token>",
    "cookie = cookies.get('sessionid')\nSet-Cookie: theme=dark",
    "please login again, password expired",
    "/home/user/project and ~/project and /tmp/home/x",
    "passed = 3\nbypass = 'left'\ncompass: 'north'",
    "tests/test_auth.py::test_login[password-valid]",
)


@pytest.mark.parametrize("name", TOKENS)
def test_token_is_found_wherever_it_stands(name):
    secret = TOKENS[name]
    for text in (secret, f"x = '{secret}'", f"got {secret}, sorry", f"+{secret}\n", f'{{"a":"{secret}"}}'):
        clean = redact(text)
        assert secret not in clean
        assert secret[10:] not in clean
        assert "<SECRET:" in clean


@pytest.mark.parametrize("name", PLACES)
def test_secret_is_found_by_its_place(name):
    text, secret = PLACES[name]
    assert secret in text
    assert secret not in redact(text)


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_text_stays(text):
    assert redact(text) == text


def test_restoring_gives_the_text_back():
    redactor = Redactor()
    texts = [*TOKENS.values(), *(text for name, (text, _) in PLACES.items() if "home" not in name)]
    for text in texts:
        assert redactor.restore(redactor.redact(text)) == text


def test_redacting_twice_changes_nothing_more():
    for text in (*TOKENS.values(), *(text for text, _ in PLACES.values())):
        redactor = Redactor()
        once = redactor.redact(text)
        assert redactor.redact(once) == once


def test_a_secret_keeps_its_placeholder():
    redactor = Redactor()
    one, two = TOKENS["aws access key"], "AK" + "IA" + made(16, _UPPER, seed=2)
    assert redactor.redact(f"{one} {two} {one}") == "<SECRET:aws_key:1> <SECRET:aws_key:2> <SECRET:aws_key:1>"
    assert redactor.redact(two) == "<SECRET:aws_key:2>"
    assert Redactor().redact(two) == "<SECRET:aws_key:1>"


def test_surroundings_stay():
    assert redact(f'a(password="{_HUNTER}", b=1)') == 'a(password="<SECRET:assigned:1>", b=1)'
    assert redact("/home/jroe/work/app.py:3") == "~/work/app.py:3"


def test_a_placeholder_of_nobody_is_left():
    assert Redactor().restore("<SECRET:aws_key:7>") == "<SECRET:aws_key:7>"


def test_values_of_secret_variables_are_masked():
    environment = {
        "DEPLOY_TOKEN": "blue-horse",
        "MY_API_KEY": "plainwords",
        "PWD": "/somewhere/here",
        "KEYBOARD": "qwertz-layout",
        "DB_PASSWORD": "postgres",
        "GIT_AUTHOR": "someone-known",
        "SESSION_SECRET": "",
    }
    redactor = Redactor(environment=environment, secrets=("from-env-file",))
    text = (
        "blue-horse plainwords xplainwords /somewhere/here qwertz-layout postgres someone-known from-env-file"
    )
    assert redactor.redact(text) == (
        "<SECRET:environment:1> <SECRET:environment:2> xplainwords /somewhere/here qwertz-layout postgres "
        "someone-known <SECRET:environment:3>"
    )
    assert redactor.restore(redactor.redact(text)) == text


def test_a_password_in_the_url_of_a_variable_is_masked_alone_too():
    redactor = Redactor(environment={"DATABASE_URL": f"postgres://app:{_STRANGE}@db/app"})
    assert redactor.redact(f"got {_STRANGE}") == "got <SECRET:environment:1>"


def test_letters_that_grow_in_lower_case_shift_nothing():
    text = f'"{"İ" * 50}" password = "{_HUNTER}"'
    assert redact(text) == text.replace(_HUNTER, "<SECRET:assigned:1>")


def test_overlapping_secrets_leave_no_rest():
    inner = TOKENS["github classic"]
    redactor = Redactor(environment={"A_TOKEN": "tail" + inner[:12], "B_TOKEN": inner[8:] + "beyond"})
    clean = redactor.redact(f"see tail{inner}beyond.")
    assert clean == "see <SECRET:environment:1>."


def test_credentials_alone_leave_personal_data():
    text = "/home/jroe/x jane.roe" + "@" + f"mail.company.com {TOKENS['npm']}"
    assert Redactor().redact_credentials(text) == text.replace(TOKENS["npm"], "<SECRET:npm_token:1>")


def _code(size: int) -> str:
    line = "    result = compute(value, password=password, token=tokens[index])  # see tests/test_x.py:12\n"
    return (line * (size // len(line) + 1))[:size]


@pytest.mark.parametrize(
    "text",
    [
        _code(100_000),
        "a" * 100_000,
        "a@" * 50_000,
        "password=" * 11_000,
        "-----BEGIN PRIVATE KEY-----" * 3_700,
        "://x:" * 20_000,
        "4111 " * 20_000,
        "1" * 100_000,
        "eyJ" * 33_000,
        "DE12 " * 20_000,
        "/home/" * 16_000,
        "Authorization: " * 6_600,
        '="' * 50_000,
        "password" + " " * 100_000,
        "key-" + "_" * 100_000,
    ],
    ids=lambda text: text[:12],
)
def test_hundred_kilobytes_take_little_time(text):
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 0.5
