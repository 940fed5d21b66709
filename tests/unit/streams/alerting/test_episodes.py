"""The life of alerts: opened once, worsened, resolved, whatever happens in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streams.alerting.episodes import (
    PLATFORM_TOPIC,
    Ending,
    Gravity,
    Sign,
    Standing,
    Step,
    What,
    alert_id,
    next_steps,
)
from streams.alerting.signs import MUTED_BY_FLOW

TODAY = datetime(2026, 11, 19, tzinfo=UTC)
TOPIC = "ecole:0689901T"


def at(hour: int, minute: int = 0) -> datetime:
    return TODAY + timedelta(hours=hour, minutes=minute)


SIGN = Sign(TOPIC, "ecole_en_baisse", Gravity.ALERT, at(9), at(9, 30), at(10), active=True, uai="0689901T")
PLATFORM = Sign(PLATFORM_TOPIC, "plateforme_en_baisse", Gravity.GRAVE, at(9, 10), at(9, 20), at(10), active=True)


def live(standing: list[Standing], steps: list[Step]) -> list[Standing]:
    """The alerts after the steps, as the database would have them."""
    found = {alert.alert_id: alert for alert in standing}
    for step in steps:
        before = found.get(step.alert_id)
        sign = step.sign
        found[step.alert_id] = Standing(
            step.alert_id,
            sign.topic,
            step.number,
            sign.kind,
            sign.gravity,
            min(before.since, sign.since) if before else sign.since,
            before.opened if before else step.at,
            step.at if step.what is What.RESOLVED else None,
            sign.uai,
            sign.profile,
        )
    return list(found.values())


def steps(
    standing: list[Standing], *signs: Sign, now: datetime = SIGN.until, recovered: set[str] | None = None
) -> list[Step]:
    return next_steps(standing, signs, now, recovered=recovered or set(), today=TODAY)


def test_a_sign_opens_one_alert_and_is_then_known() -> None:
    """The second pass over the same signs adds nothing."""
    opened = steps([], SIGN)
    assert [(step.what, step.number, step.alert_id) for step in opened] == [
        (What.OPENED, 1, alert_id(TOPIC, SIGN.raised))
    ]
    assert steps(live([], opened), SIGN) == []


def test_several_tests_of_one_school_are_one_alert() -> None:
    """The gravest says what it is called, the first when it was known."""
    silent = replace(SIGN, kind="ecole_silencieuse", gravity=Gravity.GRAVE, since=at(8, 50), raised=at(9, 50))
    (opened,) = steps([], SIGN, silent)
    assert opened.sign.kind == "ecole_silencieuse"
    assert opened.sign.raised == SIGN.raised


def test_an_alert_worsens_once_and_never_lessens() -> None:
    """What was grave stays the same alert when it is less grave."""
    standing = live([], steps([], SIGN))
    grave = replace(SIGN, kind="ecole_silencieuse", gravity=Gravity.GRAVE)
    (worse,) = steps(standing, grave)
    assert (worse.what, worse.number) == (What.WORSENED, 2)
    standing = live(standing, [worse])
    assert steps(standing, grave) == []
    assert steps(standing, SIGN) == []


def test_what_ended_is_resolved_and_not_opened_again() -> None:
    """The sign stays among the day's findings: it is the same one."""
    standing = live([], steps([], SIGN))
    ended = replace(SIGN, active=False)
    (resolved,) = steps(standing, ended, now=at(11))
    assert (resolved.what, resolved.ending) == (What.RESOLVED, Ending.RECOVERED)
    standing = live(standing, [resolved])
    assert steps(standing, ended, now=at(11, 5)) == []
    assert steps(standing, SIGN, now=at(11, 5)) == [], "an evidence that comes back at once is no new incident"


def test_a_second_outage_of_the_day_is_a_second_alert() -> None:
    """It was raised after the first one's end."""
    standing = live([], steps([], SIGN))
    standing = live(standing, steps(standing, replace(SIGN, active=False), now=at(11)))
    again = replace(SIGN, since=at(13), raised=at(14), until=at(14), active=True)
    (opened,) = steps(standing, replace(SIGN, active=False), again, now=at(14))
    assert opened.what is What.OPENED
    assert opened.alert_id != standing[0].alert_id


def test_what_began_and_ended_while_nobody_looked_is_told_as_both() -> None:
    """A service that was away loses no alert."""
    assert [step.what for step in steps([], replace(SIGN, active=False))] == [What.OPENED, What.RESOLVED]


def test_an_alert_of_yesterday_stands_until_the_school_is_back() -> None:
    """No sign in the morning proves nothing yet; a day as it should be does."""
    old = Standing("a", TOPIC, 1, "ecole_silencieuse", Gravity.GRAVE, at(-10), at(-9), None, "0689901T")
    assert steps([old]) == []
    assert steps([old], replace(SIGN, gravity=Gravity.GRAVE)) == [], "the same incident goes on"
    (resolved,) = steps([old], recovered={TOPIC})
    assert (resolved.what, resolved.number) == (What.RESOLVED, 2)


def test_a_finding_that_late_events_took_back_is_said_to_be_so() -> None:
    """Its sign is gone on the same day."""
    standing = live([], steps([], SIGN))
    (resolved,) = steps(standing)
    assert resolved.ending is Ending.REVISED


def test_a_platform_outage_is_one_alert_and_takes_the_schools_in() -> None:
    """Neither opened beside it, nor left standing from the minutes before it."""
    assert [step.sign.topic for step in steps([], SIGN, PLATFORM)] == [PLATFORM_TOPIC]
    standing = live([], steps([], SIGN))
    found = {step.sign.topic: step for step in steps(standing, SIGN, PLATFORM)}
    assert found[TOPIC].ending is Ending.PLATFORM
    assert found[PLATFORM_TOPIC].what is What.OPENED
    early = replace(SIGN, since=at(7))
    standing = live([], steps([], early))
    assert [step.sign.topic for step in steps(standing, early, PLATFORM)] == [PLATFORM_TOPIC], (
        "an hour before is its own"
    )


def test_while_events_do_not_arrive_no_school_is_spoken_of() -> None:
    """Neither opened, nor resolved; the pipeline's own alert is."""
    flow = Sign("flux", "flux_interrompu", Gravity.GRAVE, at(9), at(9), at(10), active=True)
    standing = live([], steps([], SIGN))
    ended = replace(SIGN, active=False)
    found = next_steps(standing, [ended, flow], at(11), recovered=(), frozen=MUTED_BY_FLOW, today=TODAY)
    assert [step.sign.topic for step in found] == ["flux"]


SIGNS = st.builds(
    Sign,
    topic=st.sampled_from([TOPIC, "ecole:0689902U", PLATFORM_TOPIC, "flux"]),
    kind=st.just("x"),
    gravity=st.sampled_from(Gravity),
    since=st.integers(0, 20).map(lambda n: at(8, 5 * n)),
    raised=st.integers(0, 40).map(lambda n: at(8, 5 * n)),
    until=st.integers(20, 40).map(lambda n: at(8, 5 * n)),
    active=st.booleans(),
)


@given(st.lists(st.lists(SIGNS, max_size=4), max_size=4), st.data())
def test_a_pass_may_be_cut_anywhere_and_done_again(passes: list[list[Sign]], data: st.DataObject) -> None:
    """Law: whatever part of a pass' steps was stored, doing it again stores the rest and nothing twice; of one topic at
    most one alert is open, and each life is opened first and resolved last."""
    standing: list[Standing] = []
    lives: dict[str, list[What]] = {}
    for number, signs in enumerate(passes):
        now = at(8, 5 * number)
        signs = [replace(sign, raised=min(sign.raised, now)) for sign in signs]
        planned = steps(standing, *signs, now=now)
        kept = data.draw(st.integers(0, len(planned)))
        after_crash = live(standing, planned[:kept])
        again = steps(after_crash, *signs, now=now)
        for step in [*planned[:kept], *again]:
            lives.setdefault(step.alert_id, []).append(step.what)
        standing = live(after_crash, again)
        assert steps(standing, *signs, now=now) == []
        open_ = [alert.topic for alert in standing if alert.resolved is None]
        assert len(open_) == len(set(open_))
    for life in lives.values():
        assert life[0] is What.OPENED
        assert life.count(What.OPENED) == 1
        assert What.RESOLVED not in life[:-1]
