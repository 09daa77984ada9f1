"""The long proofs of `tests/bench`, short: round trips, kills, fuzzed diffs."""

import fuzz_diffs
import kill_loop
import round_trips


def test_every_byte_comes_back_from_random_round_trips():
    ended = round_trips.main(300, 11)
    assert ended.total() == 300
    assert ended["exact"] > 200
    assert ended["refused: ambiguous"] < 15


def test_nothing_is_half_done_after_kills_at_random_moments():
    ended = kill_loop.main(24, 5)
    assert ended["killed"] == 24
    assert sum(count for how, count in ended.items() if how.endswith((": old", ": new"))) == 24


def test_damaged_diffs_are_read_or_refused():
    ended = fuzz_diffs.main(10_000, 7)
    assert ended.total() == 10_000
    assert 1_000 < ended["read"] < 8_000
    assert len(ended) > 12, "the damage is of many kinds"
