"""The plan of faults: from the seed alone, and of every kind."""

from __future__ import annotations

from collections import Counter

import pytest

from streams.chaos.plan import SESSION_S, Fault, Part, draw_plan, plan_outage


@pytest.mark.parametrize("seed", range(8))
def test_a_seed_is_a_plan(seed: int) -> None:
    """A run that failed is run again by its seed."""
    assert draw_plan(seed, 30) == draw_plan(seed, 30)
    assert draw_plan(seed, 30) != draw_plan(seed + 1, 30)


def test_a_shorter_plan_is_the_beginning_of_a_longer_one() -> None:
    assert draw_plan(5, 10).steps == draw_plan(5, 30).steps[:10]


def test_some_runs_meet_every_fault() -> None:
    met = Counter(step.fault for seed in range(1, 9) for step in draw_plan(seed, 36).steps)
    assert set(met) == set(Fault)


def test_the_coordinator_moves_only_where_there_is_another_node() -> None:
    for seed in range(20):
        plan = draw_plan(seed, 60)
        moves = any(step.fault is Fault.COORDINATOR_MOVE for step in plan.steps)
        assert moves == (plan.nodes > 1)


def test_stopped_workers_sleep_beyond_their_session() -> None:
    stops = [step for step in draw_plan(3, 200).steps if step.fault is Fault.WORKER_STOP]
    assert stops
    assert all(step.hold_s > SESSION_S for step in stops)


def test_a_plan_can_be_read() -> None:
    lines = list(draw_plan(1, 4).lines())
    assert len(lines) == 5
    assert lines[0].startswith("seed 1: ")


@pytest.mark.parametrize(("part", "fault"), [(Part.DATABASE, Fault.DATABASE_REFUSES), (Part.BROKER, Fault.BROKER_KILL)])
def test_an_outage_is_a_plan_of_one_long_fault(part: Part, fault: Fault) -> None:
    (step,) = plan_outage(1, part, 600).steps
    assert (step.fault, step.hold_s, step.settles) == (fault, 600, True)
