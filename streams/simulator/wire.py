"""Rows as records: CloudEvents in both of Kafka's modes, documents of entcore, and what nobody should send."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.event import SHORT_TYPES, Activation, AppVisit, Login, Notification
from streams.simulator.applications import APPLICATIONS, UNKNOWN
from streams.simulator.day import Day
from streams.simulator.malformed import VARIETIES, Base
from streams.simulator.population import PARENT, PROFILES, PUPIL, STAFF, TEACHER, UNTOLD
from streams.simulator.record import Record
from streams.simulator.rows import (
    ACTIVATION,
    APP_VISIT,
    BINARY,
    ENTCORE,
    IGNORED,
    LOGIN,
    MALFORMED,
    NOBODY,
    NOTIFICATION,
    TOMBSTONE,
    TYPES,
    Ints,
    Rows,
)

SOURCE: Final = b"urn:ent:beneylu:villefictive"
_TYPES: Final = {
    kind: long.encode() for long, short in SHORT_TYPES.items() for kind, of in enumerate(TYPES) if of == short
}
_TOPICS: Final = {
    LOGIN: Login.topic,
    ACTIVATION: Activation.topic,
    APP_VISIT: AppVisit.topic,
    NOTIFICATION: Notification.topic,
    IGNORED: AppVisit.topic,
    MALFORMED: Login.topic,
    TOMBSTONE: AppVisit.topic,
}
_PROFILES: Final = [profile.encode() for profile in PROFILES]
_PROFILS: Final = {PUPIL: b"Student", PARENT: b"Relative", TEACHER: b"Teacher", STAFF: b"Personnel", UNTOLD: b"Guest"}
_APPS: Final = [
    b'"app":"%b","app_kind":"%b"' % (app.sent.encode(), b"TIERS" if index == UNKNOWN else b"NATIF")
    for index, app in enumerate(APPLICATIONS)
]
_MODULES: Final = [app.module.encode() for app in APPLICATIONS]
_NOT_COUNTED: Final = (b"CREATE", b"SHARE", b"GET_RESOURCE")

_WEB_COMPUTER, _WEB_TABLET, _WEB_PHONE, _APP_PHONE = range(4)
_DOORS: Final = (
    b'"channel":"web","device":"ordinateur"',
    b'"channel":"web","device":"tablette"',
    b'"channel":"web","device":"smartphone"',
    b'"channel":"mobile_app","device":"smartphone"',
)
_AGENTS: Final = (
    b'"ua":"Mozilla/5.0 (X11; Linux x86_64)","osName":"Linux","deviceType":"desktop"',
    b'"ua":"Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X)","osName":"iOS","deviceType":"tablet"',
    b'"ua":"Mozilla/5.0 (Linux; Android 15; Mobile)","osName":"Android","deviceType":"smartphone"',
    b'"ua":"app/2.1 (Android)","osName":"Unknown","deviceType":"Unknown"',
)

_ENVELOPE: Final = (
    b'{"specversion":"1.0","id":"%b","source":"' + SOURCE + b'","type":"%b","time":"%bZ",'
    b'"datacontenttype":"application/json","data":{%b}}'
)
_USER_DATA: Final = b'%b,"profile":"%b","user":"u-%06d","session":"s-%08x",%b'
_VISIT_DATA: Final = _USER_DATA + b",%b"
_NOTIFICATION_DATA: Final = (
    b'%b,%b,"kind":"SHARE","stage":"sent","sender_profile":"%b"%b,"recipient_count":%d,'
    b'"recipients_by_profile":{"parent":%d},"push":true,"mail":false'
)
_DOCUMENT: Final = (
    b'{"event-type":"%b","module":"%b","date":%d,"userId":"u-%06d","profil":"%b",%b,"groups":["grp-%04d"],'
    b'%b,"ip":"192.0.2.1"%b}'
)
_CONNECTOR: Final = (
    b'{"event-type":"CONNECTOR","module":"%b","connector-type":"Cas","cas-type":"unknown",'
    b'"service":"https://tiers.example/cas","date":%d,"userId":"u-%06d","profil":"%b",%b}'
)
_TIMELINE: Final = (
    b'{"action":"add","type":"%b","event-type":"SHARE","notificationName":"%b.share","sender":"u-%06d",'
    b'"recipients":[%b],%b,"date":{"$date":%b},"disableMailNotification":true}'
)
_IGNORED: Final = b'{"event-type":"%b","module":"Blog","resource-type":"blog","date":%d,"userId":"u-%06d"%b}'


def render(day: Day, which: Ints, *, binary: bool) -> list[Record]:
    """Some records of a day, in the order of `which`. Without `binary`, all CloudEvents are in structured mode."""
    row = day.row[which]
    rows = day.rows.take(row)
    chunk = _Chunk(day, rows)
    values: list[bytes | None] = [None] * len(rows)
    headers: list[tuple[tuple[str, bytes], ...] | None] = [None] * len(rows)
    code = rows.kind * np.uint8(3) + rows.form
    for kind, form in sorted({divmod(int(one), 3) for one in np.unique(code)}):
        places = (code == kind * 3 + form).nonzero()[0].tolist()
        if kind in _TYPES and form != ENTCORE:
            kind_name = _TYPES[kind]
            in_headers = binary and form == BINARY
            for place, data in zip(places, _DATA[kind](chunk, places), strict=True):
                if in_headers:
                    values[place] = b"{%b}" % data
                    headers[place] = _headers(chunk.identifier[place], kind_name, chunk.time[place])
                else:
                    values[place] = _ENVELOPE % (chunk.identifier[place], kind_name, chunk.time[place], data)
        elif kind != TOMBSTONE:
            for place, value in zip(places, _DOCUMENTS[kind](chunk, places), strict=True):
                values[place] = value
    topics = [_TOPICS[kind] for kind in rows.kind.tolist()]
    hints = [0 if first else None for first in day.first_partition[which].tolist()]
    return list(map(Record, topics, chunk.key, values, headers, day.arrival_ms[which].tolist(), hints))


class _Chunk:
    """The columns of some rows as lists."""

    def __init__(self, day: Day, rows: Rows) -> None:
        population = day.population
        places = population.places.all
        here = [places[number] for number in rows.place.tolist()]
        self.key = [place.key for place in here]
        self.canonical = [place.canonical for place in here]
        self.entcore = [place.entcore for place in here]
        self.identifier = _identifiers(rows.id_high, rows.id_low)
        self.time: list[bytes] = (
            np.datetime_as_string(rows.moment_ms.astype("datetime64[ms]"), unit="ms").astype("S23").tolist()
        )
        self.moment_ms: list[int] = rows.moment_ms.tolist()
        self.number: list[int] = rows.number.tolist()
        self.profile: list[int] = rows.profile.tolist()
        self.session: list[int] = rows.session.tolist()
        self.app: list[int] = rows.app.tolist()
        self.class_: list[int] = rows.class_.tolist()
        self.recipients: list[int] = rows.recipients.tolist()
        self.door: list[int] = _doors(rows).tolist()
        self.first_parent = population.first_parent


def _doors(rows: Rows) -> npt.NDArray[np.int64]:
    """By which door someone came: pupils have tablets and computers, parents mostly telephones."""
    pupil = np.where(rows.session % 2, _WEB_TABLET, _WEB_COMPUTER)
    parent = np.where(rows.phone, _APP_PHONE, np.where(rows.session % 8, _WEB_PHONE, _WEB_COMPUTER))
    return np.where(rows.profile == PUPIL, pupil, np.where(rows.profile == PARENT, parent, _WEB_COMPUTER))


def _identifiers(high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> list[bytes]:
    """128 bits each as a UUID of version 4 (RFC 9562)."""
    digits = np.frombuffer(np.stack([high, low], axis=1).astype(">u8").tobytes().hex().encode(), "S1")
    digits = digits.reshape(-1, 32).copy()
    digits[:, 12] = b"4"
    digits[:, 16] = b"a"
    text = np.full((len(digits), 36), b"-", "S1")
    text[:, _DIGITS_OF_UUID] = digits
    identifiers: list[bytes] = text.view("S36").ravel().tolist()
    return identifiers


_DIGITS_OF_UUID: Final = [place for place in range(36) if place not in {8, 13, 18, 23}]


def _headers(identifier: bytes, kind: bytes, time: bytes) -> tuple[tuple[str, bytes], ...]:
    return (
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", identifier),
        ("ce_source", SOURCE),
        ("ce_type", kind),
        ("ce_time", time + b"Z"),
    )


def _user_data(c: _Chunk, places: list[int]) -> list[bytes]:
    return [
        _USER_DATA % (c.canonical[i], _PROFILES[c.profile[i]], c.number[i], c.session[i], _DOORS[c.door[i]])
        for i in places
    ]


def _visit_data(c: _Chunk, places: list[int]) -> list[bytes]:
    return [
        _VISIT_DATA
        % (c.canonical[i], _PROFILES[c.profile[i]], c.number[i], c.session[i], _DOORS[c.door[i]], _APPS[c.app[i]])
        for i in places
    ]


def _notification_data(c: _Chunk, places: list[int]) -> list[bytes]:
    data = []
    for i in places:
        user = b"" if c.number[i] == NOBODY else b',"user":"u-%06d"' % c.number[i]
        count = c.recipients[i]
        data.append(_NOTIFICATION_DATA % (c.canonical[i], _APPS[c.app[i]], _PROFILES[c.profile[i]], user, count, count))
    return data


def _login_documents(c: _Chunk, places: list[int]) -> list[bytes]:
    return [
        _document(c, i, b"LOGIN", b"app-mobile-client" if c.door[i] == _APP_PHONE else b"Auth", b"") for i in places
    ]


def _activation_documents(c: _Chunk, places: list[int]) -> list[bytes]:
    return [_document(c, i, b"ACTIVATION", b"Auth", b"") for i in places]


def _access_documents(c: _Chunk, places: list[int]) -> list[bytes]:
    documents = []
    for i in places:
        module = _MODULES[c.app[i]]
        if c.app[i] == UNKNOWN:
            documents.append(_CONNECTOR % (module, c.moment_ms[i], c.number[i], _PROFILS[c.profile[i]], c.entcore[i]))
        else:
            session = b',"sessionId":"%b"' % (b"%08x" % c.session[i] * 8)
            documents.append(_document(c, i, b"ACCESS", module, session))
    return documents


def _document(c: _Chunk, i: int, kind: bytes, module: bytes, more: bytes) -> bytes:
    number, profil = c.number[i], _PROFILS[c.profile[i]]
    group = number % 1000
    agent = _AGENTS[c.door[i]]
    return _DOCUMENT % (kind, module, c.moment_ms[i], number, profil, c.entcore[i], group, agent, more)


def _timeline_documents(c: _Chunk, places: list[int]) -> list[bytes]:
    """Mongo's date is a text or a number, by the platform's code path."""
    documents = []
    for i in places:
        module = _MODULES[c.app[i]]
        date = b'"%bZ"' % c.time[i] if c.session[i] % 2 else b"%d" % c.moment_ms[i]
        recipients = _recipients(int(c.first_parent[c.class_[i]]), c.recipients[i])
        name, sender = module.lower(), c.number[i]
        documents.append(_TIMELINE % (module.upper(), name, sender, recipients, c.entcore[i], date))
    return documents


@lru_cache(2000)
def _recipients(first: int, count: int) -> bytes:
    return b",".join(b'{"userId":"u-%06d","unread":1}' % number for number in range(first, first + count))


def _ignored_documents(c: _Chunk, places: list[int]) -> list[bytes]:
    return [
        _IGNORED
        % (
            _NOT_COUNTED[c.session[i] % len(_NOT_COUNTED)],
            c.moment_ms[i],
            max(c.number[i], 0),
            b"," + c.entcore[i] if c.entcore[i] else b"",
        )
        for i in places
    ]


def _malformed(c: _Chunk, places: list[int]) -> list[bytes]:
    return [
        VARIETIES[c.app[i]].make(
            Base(c.identifier[i], c.time[i] + b"Z", c.moment_ms[i], c.key[i], b"u-%06d" % max(c.number[i], 0))
        )
        for i in places
    ]


_Renderer = Callable[[_Chunk, list[int]], list[bytes]]
_DATA: Final[dict[int, _Renderer]] = {
    LOGIN: _user_data,
    ACTIVATION: _user_data,
    APP_VISIT: _visit_data,
    NOTIFICATION: _notification_data,
}
_DOCUMENTS: Final[dict[int, _Renderer]] = {
    LOGIN: _login_documents,
    ACTIVATION: _activation_documents,
    APP_VISIT: _access_documents,
    NOTIFICATION: _timeline_documents,
    IGNORED: _ignored_documents,
    MALFORMED: _malformed,
}
