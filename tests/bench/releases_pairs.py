"""The releases that real small fixes are taken from, pinned.

Small pure-Python packages with their tests in the source distribution, none of which the known collections
of Python bugs are made of. A fix is here when the newer tests import what the older release has, between one
and thirty of them turn green with at most twelve changed lines, and no other test turns red. A run of the
bench looks at that first, and leaves out a fix for which it does not hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from packages import Package
from releases_pair import Fix, Pair

PYTEST = "pytest==9.2.0"


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    version: str
    sha256: str

    def package(self, code: str, requires: tuple[str, ...]) -> Package:
        return Package(
            name=self.name, version=self.version, sha256=self.sha256, sources=code, requires=requires
        )


def _pair(
    *,
    older: _Source,
    newer: _Source,
    code: str,
    tests: str,
    fixes: Sequence[Fix],
    requires: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
) -> Pair:
    return Pair(
        older=older.package(code, requires),
        newer=newer.package(code, requires),
        tests=tests,
        arguments=arguments,
        fixes=tuple(fixes),
    )


def _fix(red: int, about: str, *places: str) -> Fix:
    return Fix(places=places, red=red, about=about)


PAIRS: tuple[Pair, ...] = (
    _pair(
        older=_Source("furl", "2.1.2", "f7dba33eafbee7dbc83963534b25e72f816cced48ac53191ee60bfcc62933918"),
        newer=_Source("furl", "2.1.3", "5a6188fe2666c484a12159c18be97a1977a71d632ef5bb867ef15f54af39cc4e"),
        code="furl",
        tests="tests",
        requires=(
            "six==1.17.0",
            "orderedmultidict==1.0.2",
        ),
        fixes=(_fix(2, "a query was split at semicolons as well as at ampersands", "furl/furl.py:1108"),),
    ),
    _pair(
        older=_Source(
            "humanfriendly", "8.2", "bf52ec91244819c780341a3438d5d7b09f431d3f113a475147ac9b7b167a3d12"
        ),
        newer=_Source(
            "humanfriendly", "9.0", "175ffa628aa76da2c17369a5da5856084562cc66dfe7f82ae93ca3ef175277a6"
        ),
        code="humanfriendly",
        tests="humanfriendly/tests.py",
        requires=(
            "docutils==0.23",
            "coloredlogs==15.0.1",
            "capturer==3.0",
            "mock==5.2.0",
        ),
        fixes=(
            _fix(
                1,
                "a minus sign was counted as a digit where thousands are set apart",
                "humanfriendly/__init__.py:356",
                "humanfriendly/__init__.py:365",
            ),
        ),
    ),
    _pair(
        older=_Source("mako", "1.3.10", "99579a6f39583fa7e5630a28c3c1f440e4e97a414b80372649c0ce338da2ea28"),
        newer=_Source("mako", "1.3.11", "071eb4ab4c5010443152255d77db7faa6ce5916f35226eb02dc34479b6858069"),
        code="mako",
        tests="test",
        requires=("markupsafe==3.0.4",),
        fixes=(_fix(1, "one leading slash was taken off instead of all", "mako/template.py:262"),),
    ),
    _pair(
        older=_Source("mako", "1.3.11", "071eb4ab4c5010443152255d77db7faa6ce5916f35226eb02dc34479b6858069"),
        newer=_Source("mako", "1.3.12", "9f778e93289bd410bb35daadeb4fc66d95a746f0b75777b942088b7fd7af550a"),
        code="mako",
        tests="test",
        requires=("markupsafe==3.0.4",),
        fixes=(
            _fix(
                1,
                "a backslash was not taken for a separator when leaving the root was refused",
                "mako/lookup.py:244",
                "mako/template.py:262",
            ),
        ),
    ),
    _pair(
        older=_Source("mako", "1.4.1", "d7904710b662996425a21627710c4777c45053146942cf8a7aebf757c92b8c27"),
        newer=_Source("mako", "1.4.2", "7227a060ee3af55a493af61d73d6beef13044b81dba9586736c13945f09464ce"),
        code="mako",
        tests="test",
        requires=("markupsafe==3.0.4",),
        fixes=(
            _fix(
                10,
                "a path was normalised by the rules of the machine instead of those of URIs",
                "mako/template.py:15",
                "mako/template.py:268",
            ),
        ),
    ),
    _pair(
        older=_Source(
            "markdown", "3.10.2", "994d51325d25ad8aa7ce4ebaec003febcce822c3f8c911e3b17c52f7f589f950"
        ),
        newer=_Source(
            "markdown", "3.10.3", "3589362618f743188b4d955b874402bc814f4f83f544dc207719f4baa7d9c45f"
        ),
        code="markdown",
        tests="tests",
        requires=("pyyaml==6.0.3",),
        arguments=("--ignore=tests/test_syntax/extensions/test_md_in_html.py",),
        fixes=(_fix(3, "underlined headings: both kinds of underline", "markdown/blockprocessors.py:497"),),
    ),
    _pair(
        older=_Source("markdown", "3.11", "180224db6aed87ba9ce1f2781ebcd5826253de8ff637112090e24b84502bbf9f"),
        newer=_Source(
            "markdown", "3.11.1", "496f4f80f9ebd3395a04c8ec9595c40bbe8ec19e9c67d21fe071a1643e876606"
        ),
        code="markdown",
        tests="tests",
        requires=("pyyaml==6.0.3",),
        arguments=("--ignore=tests/test_syntax/extensions/test_md_in_html.py",),
        fixes=(_fix(1, "raw HTML: angle brackets inside attributes", "markdown/inlinepatterns.py:162"),),
    ),
    _pair(
        older=_Source(
            "more_itertools", "11.0.2", "392a9e1e362cbc106a2457d37cabf9b36e5e12efd4ebff1654630e76597df804"
        ),
        newer=_Source(
            "more_itertools", "11.1.0", "48e8f4d9e7e5878571ecf6f2b4e57634f93cd474cc8cfbd2376f2d11b396e30d"
        ),
        code="more_itertools",
        tests="tests",
        fixes=(_fix(1, "an empty range cannot be reversed", "more_itertools/more.py:2405"),),
    ),
    _pair(
        older=_Source("natsort", "8.0.2", "feb87e0ce1dc1f8f3f21e18a85216c790e746d76a5ff6889563394605f504a2b"),
        newer=_Source("natsort", "8.1.0", "c7c1f3f27c375719a4dfcab353909fe39f26c2032a062a8c80cc844eaaca0445"),
        code="natsort",
        tests="tests",
        requires=(
            "hypothesis==6.170.15",
            "pytest-mock==3.17.0",
        ),
        fixes=(
            _fix(2, "every dotted part of a file's name was taken for an extension", "natsort/utils.py:896"),
        ),
    ),
    _pair(
        older=_Source(
            "prettytable", "3.15.0", "c72dff9c1ede57f9a511fddc8f10af3c8a86dd293f5adf75825a5e6bf81ff73b"
        ),
        newer=_Source(
            "prettytable", "3.15.1", "f0edb38060cb9161b2417939bfd5cd9877da73388fb19d1e8bf7987e8558896e"
        ),
        code="src/prettytable",
        tests="tests",
        requires=("wcwidth==0.9.4", "pytest-lazy-fixtures==1.4.1"),
        fixes=(_fix(1, "the last of no rows was asked for", "src/prettytable/prettytable.py:1656"),),
    ),
    _pair(
        older=_Source(
            "prettytable", "3.15.1", "f0edb38060cb9161b2417939bfd5cd9877da73388fb19d1e8bf7987e8558896e"
        ),
        newer=_Source(
            "prettytable", "3.16.0", "3c64b31719d961bf69c9a7e03d0c1e477320906a98da63952bc6698d6164ff57"
        ),
        code="src/prettytable",
        tests="tests",
        requires=("wcwidth==0.9.4", "pytest-lazy-fixtures==1.4.1"),
        fixes=(
            _fix(
                4,
                "hyperlinks for terminals were counted into the width of a text",
                "src/prettytable/prettytable.py:154",
                "src/prettytable/prettytable.py:2858",
            ),
        ),
    ),
    _pair(
        older=_Source(
            "prettytable", "3.16.0", "3c64b31719d961bf69c9a7e03d0c1e477320906a98da63952bc6698d6164ff57"
        ),
        newer=_Source(
            "prettytable", "3.17.0", "59f2590776527f3c9e8cf9fe7b66dd215837cca96a9c39567414cbc632e8ddb0"
        ),
        code="src/prettytable",
        tests="tests",
        requires=("wcwidth==0.9.4", "pytest-lazy-fixtures==1.4.1"),
        fixes=(
            _fix(
                1,
                "least widths given as a dict are refused",
                "src/prettytable/prettytable.py:899",
                "src/prettytable/prettytable.py:906",
            ),
            _fix(
                1,
                "formats of integers given as a dict are refused",
                "src/prettytable/prettytable.py:1145",
                "src/prettytable/prettytable.py:1152",
            ),
            _fix(
                1,
                "formats of floats given as a dict are refused",
                "src/prettytable/prettytable.py:1162",
                "src/prettytable/prettytable.py:1169",
            ),
            _fix(
                1,
                "what stands for None given as a dict is refused",
                "src/prettytable/prettytable.py:781",
                "src/prettytable/prettytable.py:784",
                "src/prettytable/prettytable.py:788",
            ),
        ),
    ),
    _pair(
        older=_Source(
            "pyflakes", "4.0.2", "dcf9cfcece3d9dacc66b7dd2fa217c1a1b79e3075bf488909c15e0857203fd24"
        ),
        newer=_Source(
            "pyflakes", "4.0.3", "94762a3a5a343a79b28754f96c554bce057a592a4896907d73f0369fe824e053"
        ),
        code="pyflakes",
        tests="pyflakes/test",
        fixes=(
            _fix(
                1,
                "the fields of a TypedDict that are no dict were not looked into",
                "pyflakes/checker.py:1586",
            ),
            _fix(
                1,
                "the fields of a NamedTuple that are no list were not looked into",
                "pyflakes/checker.py:1609",
            ),
        ),
    ),
    _pair(
        older=_Source("semver", "3.0.1", "9ec78c5447883c67b97f98c3b6212796708191d22e4ad30f4570f840171cbce1"),
        newer=_Source("semver", "3.0.2", "6253adb39c70f6e51afed2fa7152bcd414c411286088fb4b9effb133885ab4cc"),
        code="src/semver",
        tests="tests",
        arguments=("-o", "addopts=", "-o", "pythonpath=src tests docs/advanced"),
        fixes=(_fix(1, "replacing in a subclass gave a Version", "src/semver/version.py:673"),),
    ),
    _pair(
        older=_Source("semver", "3.0.2", "6253adb39c70f6e51afed2fa7152bcd414c411286088fb4b9effb133885ab4cc"),
        newer=_Source("semver", "3.0.4", "afc7d8c584a5ed0a11033af086e8af226a9c0b206f313e0301f8dd7b6b589602"),
        code="src/semver",
        tests="tests",
        arguments=("-o", "addopts=", "-o", "pythonpath=src tests docs/advanced"),
        fixes=(
            _fix(1, "what compares with itself was Version, not the subclass", "src/semver/version.py:43"),
        ),
    ),
    _pair(
        older=_Source("tinydb", "4.8.1", "09c4c6a239da9be676b948f1f28074cffd1cf08e7af920c1df50424cc8bee8d6"),
        newer=_Source("tinydb", "4.8.2", "f7dfc39b8d7fda7a1ca62a8dbb449ffd340a117c1206b68c50b1a481fb95181d"),
        code="tinydb",
        tests="tests",
        requires=("pyyaml==6.0.3",),
        fixes=(_fix(1, "a key that was set again kept its old value in the cache", "tinydb/utils.py:102"),),
    ),
)
