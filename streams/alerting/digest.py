"""The weekly digest: what wakes nobody and yet should be known. Monday from eight, about the seven days before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final

from schemas.school_time.school_time import PARIS
from sinks.clickhouse.alert_tables import AlertRow, StepRow
from streams.alerting.episodes import Gravity, What
from streams.alerting.signs import DIGEST_KIND
from streams.alerting.tables import Alerts, Logins

_TOLD_FROM: Final = time(8)
_PAUSE_SHARE: Final = 0.05
"""Of a school's notifications; less is what a clock that is a little off makes."""
_LEAST_NOTIFICATIONS: Final = 20
_HEADLINES: Final = {
    "ecole_silencieuse": "Interruptions de connexions",
    "ecole_en_baisse": "Baisses de connexions",
    "ecole_fermee_non_declaree": "Fermetures probables non déclarées",
    "plateforme_en_baisse": "Baisses de toute la plateforme",
    "flux_interrompu": "Interruptions du flux",
    "serie_eteinte": "Séries éteintes",
    "baisse_lente": "Baisses lentes",
    "doublons": "Hausses inhabituelles, peut-être des doublons",
}


def digest_step(now: datetime, alerts: Alerts, logins: Logins, names: Mapping[str, str]) -> StepRow | None:
    """The digest that is due and was not written yet; None otherwise. Raises `DatabaseFailure`."""
    local = now.astimezone(PARIS)
    if local.isoweekday() != 1 or local.time() < _TOLD_FROM:
        return None
    year, week, _ = local.isocalendar()
    name = f"bulletin-{year}-{week:02d}"
    if alerts.steps(name):
        return None
    after = local.date()
    first = after - timedelta(days=7)
    since = datetime.combine(first, time(), PARIS)
    happened = [alert for alert in alerts.alerts(since) if alert.opened_at >= since and alert.kind in _HEADLINES]
    paused = logins.notified_in_pause(first, after)
    return StepRow(
        alert_id=name,
        step=1,
        what=What.TOLD.value,
        at=now,
        kind=DIGEST_KIND,
        topic=DIGEST_KIND,
        uai="",
        profile="",
        since=since,
        level=int(Gravity.ALERT),
        observed=None,
        expected=None,
        evidence=0.0,
        limit=0.0,
        title=f"Bulletin de la semaine du {first:%d/%m/%Y}",
        text=digest_text(happened, paused, names),
        details="{}",
    )


def digest_text(happened: Sequence[AlertRow], paused: Sequence[tuple[str, int, int]], names: Mapping[str, str]) -> str:
    """What people read. `paused`: (UAI, notifications, those among them in the pause numérique)."""
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for alert in sorted(happened, key=lambda alert: alert.opened_at):
        whom = names.get(alert.uai, alert.uai) or "toutes les écoles"
        by_kind[alert.kind].append(f"{whom} ({alert.opened_at.astimezone(PARIS):%d/%m à %H:%M})")
    lines = [f"{_HEADLINES[kind]} : {', '.join(by_kind[kind])}." for kind in _HEADLINES if kind in by_kind]
    late = [
        f"{names.get(uai, uai)} ({round(100 * inside / all_)} %)"
        for uai, all_, inside in paused
        if all_ >= _LEAST_NOTIFICATIONS and inside > _PAUSE_SHARE * all_
    ]
    if late:
        lines.append(f"Notifications envoyées pendant la pause numérique : {', '.join(late)}.")
    return "\n".join(lines) or "Rien à signaler."
