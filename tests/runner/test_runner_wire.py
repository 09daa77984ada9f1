import json
import struct

import pytest

from pytest_buddy.messages import LARGEST, Inbox, pack
from pytest_buddy.runner.wire import pytest_arguments


def test_messages_survive_any_cutting():
    messages = [{"a": 1}, {"text": "é 漢字 \udce9"}, {"list": list(range(1000))}]
    stream = b"".join(map(pack, messages))
    for step in (1, 3, 7, 1000, len(stream)):
        inbox = Inbox()
        heard = [
            message
            for start in range(0, len(stream), step)
            for message in inbox.feed(stream[start : start + step])
        ]
        assert heard == messages


def test_an_absurd_length_is_refused_before_anything_is_kept():
    with pytest.raises(ValueError, match="bytes"):
        list(Inbox().feed(struct.pack(">I", LARGEST + 1)))


def test_only_objects_are_messages():
    body = json.dumps([1]).encode()
    with pytest.raises(TypeError):
        list(Inbox().feed(struct.pack(">I", len(body)) + body))


def test_the_cache_of_a_server_is_never_the_persons():
    arguments = pytest_arguments({"args": ["-q"], "targets": ["tests"]})
    assert arguments[0] == "-q"
    assert arguments[-1] == "tests"
    assert any(word.startswith("cache_dir=") for word in arguments)
