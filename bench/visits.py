"""The topic that all systems read: application visits, every hundredth broken, and what counting them must give."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

from bench.peers.digest import Window, digest
from streams.directory.snapshot import Directory

PARTITIONS = 4
_SPAN = timedelta(hours=1)
_ACCOUNTS = 20_000
_VISITS = 3
"""Records of one session, on average."""
_APPS = ("blog", "messagerie", "cahier_textes", "mediatheque", "questionnaires", "calendrier")


@dataclass(frozen=True)
class Expected:
    """What every system must find."""

    topic: str
    records: int
    valid: int
    digest: str
    bytes_per_event: int


def classes_of(directory: Directory) -> dict[str, tuple[str, str]]:
    """School and class, joined by a bar -> what enrichment adds: commune of the school, levels of the class."""
    names = dict(directory.rows.schools.select("uai", "name").rows())
    rows = directory.rows.classes.select("uai", "class_id", "levels").rows()
    return {f"{uai}|{class_id}": (names[uai], "-".join(levels)) for uai, class_id, levels in rows}


def produce(bootstrap: str, topic: str, count: int, classes: list[str], seed: int = 11) -> Expected:
    """Fill the topic, lz4, round robin over its partitions, arrival at the events' own times."""
    draw = random.Random(seed)
    accounts = [(f"usr-{n:09d}-{draw.getrandbits(32):08x}", *draw.choice(classes).split("|")) for n in range(_ACCOUNTS)]
    producer = Producer(
        {"bootstrap.servers": bootstrap, "compression.type": "lz4", "linger.ms": 20, "batch.size": 262_144,
         "queue.buffering.max.messages": 1_000_000}
    )  # fmt: skip
    begin = (datetime.now(UTC) - 2 * _SPAN).replace(minute=0, second=0, microsecond=0)
    windows: Counter[Window] = Counter()
    size = 0
    for n in range(count):
        at = begin + n * _SPAN / count
        value, window = _visit(draw, n, at, accounts)
        if window is not None:
            windows[window] += 1
        size += len(value)
        while True:
            try:
                producer.produce(topic, value, partition=n % PARTITIONS, timestamp=int(at.timestamp() * 1000))
                break
            except BufferError:
                producer.poll(0.05)
        if n % 10_000 == 0:
            producer.poll(0)
    producer.flush()
    return Expected(topic, count, windows.total(), digest(windows), round(size / count))


def _visit(
    draw: random.Random, n: int, at: datetime, accounts: list[tuple[str, str, str]]
) -> tuple[bytes, Window | None]:
    user, uai, class_id = accounts[draw.randrange(len(accounts))]
    app = _APPS[min(int(draw.expovariate(0.5)), len(_APPS) - 1)]
    data: dict[str, object] = {
        "uai": [uai],
        "classes": [class_id],
        "profile": draw.choices(("eleve", "parent", "enseignant"), (9, 10, 1))[0],
        "user": user,
        "session": f"{hash((user, n // (_ACCOUNTS * _VISITS))) & (1 << 96) - 1:024x}",
        "app": app,
        "channel": "web",
        "device": draw.choice(("ordinateur", "smartphone", "tablette")),
    }
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": f"{n:08x}{draw.getrandbits(64):016x}",
        "source": "urn:ent:bench",
        "type": "fr.ent.app_visit.v1",
        "time": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "data": data,
    }
    broken = n % 400 if n % 100 == 0 else None
    match broken:
        case 0:
            del event["time"]
        case 100:
            data["app"] = 17
        case 200:
            data["profile"] = "inconnue"
    value = json.dumps(event, separators=(",", ":")).encode()
    if broken == 300:
        value = value[: draw.randrange(20, 200)]
    window = None if broken is not None else (int(at.timestamp()) // 60 * 60, uai, app)
    return value, window
