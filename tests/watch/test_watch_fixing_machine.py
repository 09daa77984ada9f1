"""Whether a machine has room for work in the background."""

from pathlib import Path

import pytest

from buddy_watch.fixing import Machine, Room
from buddy_watch.fixing.machine import Reading, room


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (Reading(cores=2, mine=2), Room(jobs=2)),
        (Reading(cores=8, mine=3, load=11.9, running=40), Room(jobs=3)),
        (Reading(cores=1, mine=0), Room(jobs=1)),
        (Reading(cores=2, mine=2, load=9.0, running=1), Room(jobs=2)),
        (Reading(cores=2, mine=2, load=0.5, running=30), Room(jobs=2)),
        (
            Reading(cores=2, mine=2, load=6.25, running=7),
            Room(jobs=0, reason="the load is 6.2 on 2 cores"),
        ),
        (Reading(cores=1, mine=1, load=4.0, running=4), Room(jobs=0, reason="the load is 4.0 on 1 core")),
        (Reading(cores=2, mine=2, load=9.0, running=9, taken=0.5), Room(jobs=2)),
        (Reading(cores=2, mine=2, charge=30), Room(jobs=2)),
        (Reading(cores=2, mine=2, charge=29), Room(jobs=0, reason="the battery is at 29 %")),
    ],
)
def test_room(reading: Reading, expected: Room) -> None:
    assert room(reading) == expected


def supply(power: Path, name: str, **values: str) -> None:
    (power / name).mkdir(parents=True)
    for key, value in values.items():
        (power / name / key).write_text(value + "\n")


@pytest.mark.parametrize(
    ("supplies", "charge"),
    [
        ({}, None),
        ({"BAT0": {"type": "Battery", "status": "Discharging", "capacity": "12"}}, 12),
        (
            {
                "BAT0": {"type": "Battery", "status": "Discharging", "capacity": "12"},
                "BAT1": {"type": "Battery", "status": "Discharging", "capacity": "80"},
            },
            80,
        ),
        ({"BAT0": {"type": "Battery", "status": "Charging", "capacity": "12"}}, None),
        (
            {
                "BAT0": {"type": "Battery", "status": "Discharging", "capacity": "12"},
                "AC": {"type": "Mains", "online": "1"},
            },
            None,
        ),
        (
            {
                "BAT0": {"type": "Battery", "status": "Discharging", "capacity": "12"},
                "AC": {"type": "Mains", "online": "0"},
            },
            12,
        ),
        (
            {"mouse": {"type": "Battery", "scope": "Device", "status": "Discharging", "capacity": "3"}},
            None,
        ),
        ({"BAT0": {"type": "Battery", "status": "Discharging"}}, None),
    ],
)
def test_the_charge_counts_only_while_it_runs_down(
    tmp_path: Path, supplies: dict[str, dict[str, str]], charge: int | None
) -> None:
    for name, values in supplies.items():
        supply(tmp_path / "power", name, **values)
    assert Machine(power=tmp_path / "power").read().charge == charge


def test_load_and_running_threads(tmp_path: Path) -> None:
    (tmp_path / "loadavg").write_text("4.25 1.00 0.50 7/1234 5678\n")
    reading = Machine(proc=tmp_path, power=tmp_path / "none").read()
    assert (reading.load, reading.running) == (4.25, 6)
    assert 1 <= reading.mine <= reading.cores


@pytest.mark.parametrize("content", [None, "", "nonsense", "1.0 2.0"])
def test_a_system_that_tells_nothing_is_no_obstacle(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "loadavg").write_text(content)
    assert Machine(proc=tmp_path, power=tmp_path / "none").room().jobs >= 1


def test_what_niced_programs_take_is_no_reason_to_wait(tmp_path):
    machine = Machine(proc=tmp_path, power=tmp_path / "none")
    for user, nice, taken in ((1000, 0, 0.5), (1100, 900, 0.1), (1101, 901, 0.1), (2000, 1000, 0.9)):
        (tmp_path / "stat").write_text(f"cpu  {user} {nice} 0 1000 0 0 0 0 0 0\ncpu0 1 2 3\n")
        assert round(machine.read().taken, 1) == taken
