"""What of a scene can be acted on: questions that the painter and the keys both ask."""

from buddy_watch.values import Scene
from pytest_buddy.domain import Fault, Proposal
from pytest_buddy.response import FaultView

_OPEN = "open"


def fault_in_focus(scene: Scene) -> Fault | None:
    """The fault looked at, when there is one."""
    faults = scene.diagnosis.faults if scene.diagnosis else ()
    return faults[scene.focus % len(faults)] if faults else None


def offered_fix(scene: Scene) -> Proposal | None:
    """The fix that can be applied, staged or discarded now."""
    fault = fault_in_focus(scene)
    fix = fault.fix if fault else None
    return fix if fix is not None and not status_of(scene, fix) else None


def status_of(scene: Scene, proposal: Proposal) -> str:
    """What became of a proposal; empty while it is open."""
    status = scene.statuses.get(proposal.patch.id, _OPEN)
    return "" if status == _OPEN else status


def can_undo(scene: Scene) -> bool:
    """Whether something was applied or staged that can be taken back."""
    return any(status in ("applied", "staged") for status in scene.statuses.values())


def has_place(scene: Scene) -> bool:
    """Whether there is a line to open in an editor."""
    fault = fault_in_focus(scene)
    return bool((fault and fault.suspects) or scene.red)


def views(scene: Scene) -> tuple[FaultView, ...]:
    """The faults, the one looked at first, the others in the order in which `next` comes to them."""
    faults = scene.diagnosis.faults if scene.diagnosis else ()
    first = scene.focus % len(faults) if faults else 0
    order = [*range(first, len(faults)), *range(first)]
    return tuple(
        FaultView(
            fault=faults[number],
            position=f"{number + 1} of {len(faults)}" if len(faults) > 1 else "",
            status=status_of(scene, fix) if (fix := faults[number].fix) else "",
            looking=bool(scene.progress),
        )
        for number in order
    )
