"""What goes to a server and comes back from it, between domain values and messages."""

import base64
from collections.abc import Iterator

from pytest_buddy.domain import GREEN, Execution, Observation, Outcome, Patch, Reaction, Variable
from pytest_buddy.messages import Message


def edits_of(patch: Patch) -> Message:
    """A candidate as a unit of a job."""
    return {
        "edits": [
            [edit.path, edit.digest, edit.start, edit.end, base64.b64encode(edit.replacement).decode()]
            for edit in patch.edits
        ]
    }


def outcome_of(message: Message) -> Outcome:
    """How a test ended."""
    return Outcome(
        test=message["test"],
        status=message["status"],
        seconds=message.get("seconds", 0.0),
        error_type=message.get("error_type", ""),
        message=message.get("message", ""),
        path=message.get("path", ""),
        line=message.get("line", 0),
    )


def lost(test: str, answer: Message) -> Outcome:
    """How a test ended whose process did not live to tell."""
    return Outcome(test=test, status=answer["lost"])


def execution_of(test: str, answer: Message) -> Execution:
    """The lines that a test ran."""
    return Execution(
        test=test,
        failed=answer["status"] not in GREEN,
        lines={path: frozenset(lines) for path, lines in answer["lines"].items()},
    )


def observations_of(test: str, answer: Message) -> Iterator[Observation]:
    """The values that a test was seen to have; none when it was lost."""
    for seen in answer.get("seen", ()):
        yield Observation(
            test=test,
            failed=answer["status"] not in GREEN,
            path=seen["path"],
            line=seen["line"],
            hits=seen["hits"],
            variables=tuple(Variable(name=n, value=v, type=t) for n, v, t in seen["variables"]),
            result=seen["result"],
        )


def reactions_of(answer: Message) -> tuple[Reaction, ...]:
    """What functions did with their inputs; nothing when the child was lost or the patch refused."""
    return tuple(
        Reaction(
            key=seen["key"],
            call=seen["call"],
            result=seen["result"],
            mark=seen["mark"],
            raised=seen["kind"] != "returns",
            green=seen["green"],
            varied=seen["varied"],
        )
        for seen in answer.get("calls", ())
    )
