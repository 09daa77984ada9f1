"""The nouns: frozen values that travel between the rooms.

Paths are posix and relative to the workspace, lines count from 1, times are seconds.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

Phase = Literal["collect", "setup", "call", "teardown"]
Status = Literal[
    "passed", "failed", "error", "skipped", "xfailed", "xpassed", "crashed", "timeout", "missing"
]
SandboxLevel = Literal["full", "partial", "none"]
VerdictOutcome = Literal["fixed", "partial", "no-change", "breaks", "rejected", "timeout"]
SearchStop = Literal["found", "exhausted", "budget", "interrupted"]

GREEN: frozenset[Status] = frozenset({"passed", "skipped", "xfailed", "xpassed"})
RED: frozenset[Status] = frozenset({"failed", "error", "crashed", "timeout", "missing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A local variable of a frame, its value written without running any code of the user's."""

    name: str
    value: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One entry of a traceback.

    `path` is relative to the workspace when `project` is true, absolute otherwise; `function` is the
    qualified name of the code object; `source` is the line's text.
    """

    path: str
    line: int
    function: str
    project: bool
    source: str = ""
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The two sides of a failed assertion. By convention `left` came from the program, `right` was expected.

    `left` and `right` are reprs, `left_type` and `right_type` type names; `detail` holds pytest's own
    explanation lines, without the leading `E`.
    """

    operator: str
    left: str
    right: str
    left_type: str = ""
    right_type: str = ""
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """An exception that led to the reported one (`__cause__` or `__context__`), nearest first."""

    error_type: str
    message: str
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Which test failed, in which phase, with which exception; frames run from the test inwards."""

    test: str
    phase: Phase
    error_type: str
    message: str
    frames: tuple[Frame, ...] = ()
    causes: tuple[Cause, ...] = ()
    comparison: Comparison | None = None
    stdout: str = ""
    stderr: str = ""
    log: str = ""
    subtest: str = ""
    kind: Literal["function", "unittest", "doctest", "other"] = "function"

    @property
    def project_frames(self) -> tuple[Frame, ...]:
        """The frames whose file is inside the workspace."""
        return tuple(frame for frame in self.frames if frame.project)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one test ended and its duration in seconds (wall in a plain run, CPU in the runner)."""

    test: str
    status: Status
    seconds: float = 0.0
    error_type: str = ""
    message: str = ""
    path: str = ""
    line: int = 0

    @property
    def hung(self) -> bool:
        """Whether it was ended for taking too long, by us or by a plugin's time limit."""
        return self.status == "timeout" or self.message.startswith("Timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a plain run of the suite showed: every test in the order it ran, and the captured failures.

    `args` are the arguments pytest was called with, `seconds` the duration of the run. `failures` may hold
    fewer entries than there are red outcomes: details are captured up to a cap.
    """

    outcomes: tuple[Outcome, ...]
    failures: tuple[Failure, ...]
    args: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """The lines one test ran: path -> line numbers, project files only, test files included."""

    test: str
    failed: bool
    lines: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """Which test ran which lines and how it ended; `complete` is false when the budget cut neighbours."""

    executions: tuple[Execution, ...]
    complete: bool = True

    @property
    def failing(self) -> tuple[Execution, ...]:
        """The executions of failing tests."""
        return tuple(execution for execution in self.executions if execution.failed)

    @property
    def passing(self) -> tuple[Execution, ...]:
        """The executions of passing tests."""
        return tuple(execution for execution in self.executions if not execution.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one test did at one statement, from a traced re-run.

    `hits` counts how often the statement was reached; `variables` are the locals it reads or that are in
    scope just before the last hit (for a failing test the hit nearest to the failure); `result` is the value
    returned, for a `return` statement, or the value assigned, when it is known.
    """

    test: str
    failed: bool
    path: str
    line: int
    hits: int
    variables: tuple[Variable, ...] = ()
    result: str = ""


NOT_COMMITTED: Final = "not committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What a function of some version of the program did with one input.

    `call` and `result` are texts for people ("total([])", "returns 0"); `key` is equal for equal inputs,
    `mark` for equal results. `green` says that a passing test gave the input, `varied` that it is a variant
    of one; `raised` that nothing was returned.
    """

    key: str
    call: str
    result: str
    mark: str
    raised: bool = False
    green: bool = False
    varied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change in git that touches lines of a file as it is now.

    `lines` are the line numbers it added or changed (the neighbours of a pure deletion); `removed` is the
    old text; `label` says which change it is: `not committed`, or an abbreviated commit and its subject.
    All of the old text stood where the lines `start` up to, but not including, `end` stand now; 0 for
    `start` says that this is not known.
    """

    path: str
    lines: tuple[int, ...]
    removed: tuple[str, ...]
    label: str
    start: int = 0
    end: int = 0

    @property
    def committed(self) -> bool:
        """Whether a commit made it."""
        return self.label != NOT_COMMITTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A statement, its score in 0..1, and why it is suspected.

    `function` is the dotted module and qualified name (`pkg.x.clamp`, or `pkg.x` at module level). `rank`
    is 1 + the number of suspects with a higher score; `tied_with` counts the others of equal score.
    `kind` is the lower-case name of the syntax-tree node (`return`, `if`, `assign`, ...).
    """

    path: str
    line: int
    end_line: int
    function: str
    score: float
    rank: int
    tied_with: int = 0
    evidence: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace bytes `start`..`end` of the file `path` whose content has the SHA-256 `digest`."""

    path: str
    digest: str
    start: int
    end: int
    replacement: bytes


@dataclass(frozen=True, kw_only=True)
class Patch:
    """Edits that belong together.

    `origin` is `template:NAME` or `model:NAME`; `prior` orders patches that the tests cannot tell apart
    (higher is likelier); `suspicion` in 0..1 marks how much the patch looks like one that only pleases the
    tests (constant conditions, deletions, the test's own literals); `function` is where it edits.
    """

    edits: tuple[Edit, ...]
    origin: str
    rationale: tuple[str, ...] = ()
    prior: float = 0.0
    suspicion: float = 0.0
    function: str = ""

    @cached_property
    def id(self) -> str:
        """Eight hexadecimal digits of a hash of the edits: equal edits have equal ids."""
        digest = hashlib.sha256()
        for edit in sorted(self.edits, key=lambda edit: (edit.path, edit.start, edit.end)):
            head = f"{edit.path}\0{edit.digest}\0{edit.start}\0{edit.end}\0{len(edit.replacement)}\0"
            digest.update(head.encode("utf-8", "surrogateescape") + edit.replacement)
        return digest.hexdigest()[:8]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files it edits, each once, sorted."""
        return tuple(sorted({edit.path for edit in self.edits}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How some tests ended with a candidate patch swapped in; tests not listed were not run."""

    patch: Patch
    outcomes: tuple[Outcome, ...]

    @property
    def green(self) -> bool:
        """Whether it ran at least one test and none was red."""
        return bool(self.outcomes) and all(outcome.status in GREEN for outcome in self.outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a patch did to the tests: which red ones turned green, which green ones turned red."""

    outcome: VerdictOutcome
    fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    ran: int = 0
    confirmed: bool = False
    sandbox: SandboxLevel = "none"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A judged patch. `diff` is what `git apply` takes from the rootdir.

    Bytes of the diff that are not UTF-8 are kept as surrogate escapes, so that
    `diff.encode("utf-8", "surrogateescape")` gives the exact bytes back.
    """

    patch: Patch
    diff: str
    verdict: Verdict
    changed_lines: int
    rank: int = 1

    @property
    def offered(self) -> bool:
        """Whether it may be shown to people as a fix."""
        return self.verdict.outcome == "fixed" and self.verdict.confirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Four to six bullets on why the tests fail; `origin` is `rules` or `model:NAME`."""

    bullets: tuple[str, ...]
    origin: str = "rules"

    def __post_init__(self) -> None:
        if not 4 <= len(self.bullets) <= 6:
            raise ValueError(f"an explanation has 4 to 6 bullets, not {len(self.bullets)}")
        if any(not bullet.strip() for bullet in self.bullets):
            raise ValueError("a bullet of an explanation is empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A patch that passes, and what the program does with it in the case that is asked about."""

    patch: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A case that no test decides: patches that pass differ there. `compared` counts the inputs tried."""

    call: str
    answers: tuple[Answer, ...]
    compared: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How the search for a fault's fix went.

    `kept_out` are failing parametrised cases that candidates were not tried on, as a check; `refuted` counts
    the patches that passed all else and failed there.
    """

    candidates: int
    validated: int
    seconds: float
    stopped: SearchStop
    coders: tuple[str, ...] = ()
    also_passing: int = 0
    kept_out: tuple[str, ...] = ()
    refuted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One cause of one or more failures: its tests, ranked suspects and what came of the search."""

    id: str
    tests: tuple[str, ...]
    suspects: tuple[Suspect, ...] = ()
    explanation: Explanation | None = None
    proposals: tuple[Proposal, ...] = ()
    search: Search | None = None
    note: str = ""
    question: Question | None = None

    @property
    def fix(self) -> Proposal | None:
        """The first confirmed fix, when there is one."""
        return next((proposal for proposal in self.proposals if proposal.offered), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds spent after the plain run, by step; `first_fix` is when the first fix was confirmed, if any."""

    collect: float = 0.0
    localize: float = 0.0
    propose: float = 0.0
    total: float = 0.0
    first_fix: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Everything that is known after the work on one run: the content of every report.

    `failed` counts the red tests of the run, also those without captured details; `flaky` names failures
    that passed when run again; `notices` are things the person must know (a denied resource, a cut budget).
    """

    failures: tuple[Failure, ...]
    faults: tuple[Fault, ...] = ()
    flaky: tuple[str, ...] = ()
    failed: int = 0
    sandbox: SandboxLevel = "none"
    offline: bool = True
    timing: Timing = field(default_factory=Timing)
    notices: tuple[str, ...] = ()


Verb = Literal[
    "apply",
    "stage",
    "discard",
    "undo",
    "explain",
    "show",
    "test",
    "search",
    "generate",
    "fix",
    "next",
    "quit",
    "rerun",
    "failed",
    "all",
    "paths",
    "keyword",
    "open",
    "voice",
    "pause",
    "scroll",
    "help",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the person wants: a verb, its argument (a proposal's id or a text), `confidence` in 0..1.

    The watch loop's own: `rerun` the last selection, `failed` only or not, `all` tests, only tests whose
    file matches (`paths`) or whose name matches an expression (`keyword`), `open` the editor at the first
    suspect, switch `voice` on or off, `pause` work in the background, `scroll` by lines, `help`.
    """

    verb: Verb
    argument: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkStarted:
    """Work on the red tests of a finished run begins."""

    failed: int
    passed: int
    kind: Literal["work-started"] = "work-started"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step of the work begins: confirm, collect, localize, propose."""

    step: Literal["confirm", "collect", "localize", "propose"]
    detail: str = ""
    kind: Literal["step-started"] = "step-started"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLocated:
    """A fault has suspects and an explanation; no search has run yet."""

    fault: Fault
    kind: Literal["fault-located"] = "fault-located"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAdvanced:
    """The search for a fix of one fault has tried more candidates."""

    fault: str
    candidates: int
    passing: int
    seconds: float
    kind: Literal["search-advanced"] = "search-advanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixConfirmed:
    """A patch was confirmed by a fresh pytest; a better one may still come."""

    fault: str
    proposal: Proposal
    kind: Literal["fix-confirmed"] = "fix-confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSettled:
    """The work on one fault is over; the fault holds all that is known."""

    fault: Fault
    kind: Literal["fault-settled"] = "fault-settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeGiven:
    """Something the person must know, with a hint on what to do."""

    text: str
    hint: str = ""
    kind: Literal["notice-given"] = "notice-given"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEnded:
    """All work on the run is over."""

    diagnosis: Diagnosis
    kind: Literal["work-ended"] = "work-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchHandled:
    """A proposal was applied, staged, discarded or undone; `paths` are the files that changed."""

    action: Literal["applied", "staged", "discarded", "undone"]
    patch: str
    paths: tuple[str, ...] = ()
    kind: Literal["patch-handled"] = "patch-handled"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The watch loop runs `selected` of its known tests; `why` says what chose them."""

    run: int
    selected: int
    of: int
    why: str
    background: bool = False
    kind: Literal["run-started"] = "run-started"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictReached:
    """A test of a run has ended, after so many seconds of its own."""

    run: int
    test: str
    status: Status
    seconds: float = 0.0
    message: str = ""
    kind: Literal["verdict-reached"] = "verdict-reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run is over: all its tests have ended, or it was cancelled, or pytest itself broke down."""

    run: int
    passed: int
    failed: int
    seconds: float
    outcome: Literal["done", "cancelled", "broken"] = "done"
    detail: str = ""
    background: bool = False
    kind: Literal["run-ended"] = "run-ended"


Event = (
    WorkStarted
    | StepStarted
    | FaultLocated
    | SearchAdvanced
    | FixConfirmed
    | FaultSettled
    | NoticeGiven
    | WorkEnded
    | PatchHandled
    | RunStarted
    | VerdictReached
    | RunEnded
)
