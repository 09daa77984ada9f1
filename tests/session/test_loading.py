"""Which files come along when a test file is imported."""

import pytest

from pytest_buddy.errors import SourceError
from pytest_buddy.loading import may_load
from pytest_buddy.source import Source

FILES = {
    "tests/test_direct.py": "from shop.table import RATES\n",
    "tests/test_through.py": "import shop.prices\n",
    "tests/test_relative.py": "from shop import prices as p\n",
    "tests/test_other.py": "import json\nfrom shop.words import plural\n",
    "tests/test_broken.py": "import (\n",
    "unit/test_by_conftest.py": "",
    "unit/conftest.py": "import shop.table\n",
    "shop/__init__.py": "",
    "shop/table.py": "RATES = {}\n",
    "shop/prices.py": "from .table import RATES\n",
    "shop/words.py": "from . import letters\n",
    "shop/letters.py": "from shop import words\n",
    "src/lib/__init__.py": "from lib import table\n",
    "src/lib/table.py": "",
    "tests/test_src.py": "import lib\n",
}


def read(path):
    if path not in FILES:
        raise SourceError(f"no {path}")
    return Source(path=path, module="", content=FILES[path].encode())


@pytest.mark.parametrize(
    ("start", "target", "loads"),
    [
        ("tests/test_direct.py", "shop/table.py", True),
        ("tests/test_through.py", "shop/table.py", True),
        ("tests/test_relative.py", "shop/table.py", True),
        ("tests/test_other.py", "shop/table.py", False),
        ("tests/test_other.py", "shop/letters.py", True),
        ("tests/test_other.py", "shop/__init__.py", True),
        ("tests/test_broken.py", "shop/table.py", True),
        ("unit/test_by_conftest.py", "shop/table.py", True),
        ("tests/test_src.py", "src/lib/table.py", True),
        ("shop/table.py", "shop/table.py", True),
    ],
)
def test_what_may_be_loaded(start, target, loads):
    assert may_load([start], target, read) is loads
