"""The whole calculation behind a school's scores, in lines that can be followed with a pencil. Pure."""

from __future__ import annotations

from datetime import date

from streams.alerting.watch import Judgement, Watch
from streams.alerts.rules import Check
from streams.alerts.running import SUMS


def explain_school(watch: Watch, judged: Judgement, uai: str) -> list[str]:
    """What was seen, expected and concluded of one school up to the end of the last bin."""
    school, day = watch.uais.index(uai), judged.day
    evidence = day.evidence()
    learned, of_weekday = int(watch.learned.days[school]), int(evidence.references[school])
    lines = [
        f"calendar: {_hours(judged, school)}",
        f"learned: {learned} school days, {of_weekday} of this weekday (needed: {day.settings.warmup_days})",
        f"state: {evidence.state[school]}",
        "",
        "profile      last hour: seen  expected   low  high   burst (variance / mean)  spread of days",
    ]
    for place, profile in enumerate(day.settings.audience.names):
        lines.append(
            f"{profile:<12} {evidence.observed[school, place]:>15.0f} {evidence.expected[school, place]:>9.1f} "
            f"{evidence.low[school, place]:>5.0f} {evidence.high[school, place]:>5.0f} "
            f"{day.burst[school, place]:>24.1f} {day.spread[school, place]:>15.2f}"
        )
    seen, due = evidence.day_observed[school], evidence.day_expected[school]
    information, minutes = evidence.information_per_h[school], evidence.minutes_to_limit()[school]
    lines += [
        f"day so far: {seen:.0f} seen, {due:.1f} expected",
        f"information: {information:.1f} nats per hour of silence; its limit is reached after {minutes:.0f} minutes",
        "",
        "test         evidence   limit  at most  (evidence in nats; 7 nats are odds of 1 to 1 000)",
    ]
    for check in Check:
        rule = day.settings.rules[check]
        kind = (
            "sum of likelihood ratios" if check in SUMS else "tail of the day" if check is Check.DAY else "three days"
        )
        lines.append(
            f"{check.name.lower():<12} {evidence.evidence[school, check]:>8.2f} {evidence.limits[school, check]:>7.2f} "
            f"{rule.most:>8.0%}  {kind}"
        )
    lines += ["", "found today:"]
    for finding in judged.findings:
        if finding.school in {None, school}:
            references = ", ".join(f"{date.fromordinal(r.ordinal):%d/%m}: {r.logins}" for r in finding.references)
            since, known = judged.moment(finding.since), judged.moment(finding.raised + 1)
            lines.append(
                f"{finding.kind} since {since:%H:%M} UTC, known at {known:%H:%M} UTC: "
                f"{finding.observed:.0f} seen, {finding.expected:.1f} expected, "
                f"evidence {finding.evidence:.1f} of {finding.limit:.1f}; same hours of {references or 'no day'}"
            )
    return lines if lines[-1] != "found today:" else [*lines[:-1], "found today: nothing"]


def _hours(judged: Judgement, school: int) -> str:
    opened = judged.day.calendar.opened[school]
    if not opened.any():
        return "closed (holidays, public holiday, free day or declared closure): nothing is expected"
    return "a school day" if opened.all() else "a school day with a declared closure in it"
