"""Keys -> intents: which key means what now, and the line that the person types for a filter."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from buddy_watch.screen.glance import fault_in_focus
from buddy_watch.screen.keys import Key
from buddy_watch.screen.manual import BINDINGS
from buddy_watch.values import Scene
from pytest_buddy.domain import Intent, Verb

_SCROLLS = {
    "up": "-1", "down": "+1", "j": "+1", "pageup": "-page", "pagedown": "+page", "space": "+page",
    "ctrl-d": "+page", "ctrl-u": "-page", "home": "start", "g": "start", "end": "end", "G": "end",
}  # fmt: skip
_ABOUT_THE_FIX = ("apply", "stage", "discard")
_LONGEST = 500


@dataclass(slots=True)
class Commands:
    """Hands intents to `intent`; owns the line being typed and the hint on a key that did nothing."""

    intent: Callable[[Intent], None]
    hint: str = ""
    _asking: tuple[Verb, str] | None = None

    def over(self, scene: Scene) -> Scene:
        """The scene with the line being typed and the hint."""
        if self._asking is not None:
            return replace(scene, asking=self._asking)
        return replace(scene, message=self.hint) if self.hint else scene

    def press(self, key: Key, scene: Scene) -> None:
        """Act on a key, on what `scene` showed when it was pressed."""
        self.hint = ""
        if key.name == "ctrl-c":
            self.intent(Intent(verb="quit"))
        elif self._asking is not None:
            self._type(key, *self._asking)
        elif key.name in _SCROLLS:
            self.intent(Intent(verb="scroll", argument=_SCROLLS[key.name]))
        elif key.name == "escape":
            if scene.help:
                self.intent(Intent(verb="help"))
        elif key.name == "paste":
            self.hint = "pasted text is left alone: p or k ask for a line"
        else:
            self._command("h" if key.name == "?" else key.name, scene)

    def _command(self, name: str, scene: Scene) -> None:
        binding = BINDINGS.get(name)
        if chosen := _answer(name, scene):
            self.intent(Intent(verb="apply", argument=chosen))
        elif binding is None:
            self.hint = f"{name} does nothing here, h shows the keys" if len(name) == 1 else ""
        elif binding.verb in ("paths", "keyword"):
            self._asking = (binding.verb, scene.path_filter if binding.verb == "paths" else scene.keyword)
        elif binding.verb in _ABOUT_THE_FIX:
            fault = fault_in_focus(scene)
            if fault is None or fault.fix is None:
                self.hint = f"there is no fix to {binding.verb}"
            else:  # by name: another may have taken its place before this one is heard of
                self.intent(Intent(verb=binding.verb, argument=fault.fix.patch.id))
        elif binding.verb == "explain" and fault_in_focus(scene) is None:
            self.hint = "there is no fault to explain"
        else:
            self.intent(Intent(verb=binding.verb))

    def _type(self, key: Key, verb: Verb, text: str) -> None:
        if key.name in ("escape", "enter"):
            self._asking = None
            if key.name == "enter":
                self.intent(Intent(verb=verb, argument=text.strip()))
            return
        if key.name == "backspace":
            text = text[:-1]
        elif key.name == "ctrl-u":
            text = ""
        elif key.name == "ctrl-w":
            text = text.rstrip()
            text = text[: text.rfind(" ") + 1]
        else:
            text += " ".join(key.text.split("\n")[0].split()) if key.name == "paste" else key.text
        self._asking = (verb, text[:_LONGEST])


def _answer(name: str, scene: Scene) -> str:
    """The patch that a number chooses, when the fault looked at comes with a question."""
    fault = fault_in_focus(scene)
    answers = fault.question.answers if fault and fault.question else ()
    return {str(number): answer.patch for number, answer in enumerate(answers, start=1)}.get(name, "")
