"""Seeded records as platforms send them, and a share of them spoiled in ways that platforms spoil them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
PROFILES = ["eleve", "parent", "enseignant", "personnel", "inconnu"]
PROFILS = ["Student", "Relative", "Teacher", "Personnel", "Guest"]
SHARES = [35, 50, 10, 4, 1]
EVENT_TYPES = {"LOGIN": 30, "ACTIVATION": 2, "ACCESS": 40, "CONNECTOR": 8, "notification": 15, "SHARE": 5}
APPS = [
    "blog",
    "cahier_textes",
    "messagerie",
    "mediatheque",
    "livret_scolaire",
    "calendrier",
    "site_web",
    "Jeu inconnu",
]
MODULES = ["Conversation", "SchoolBook", "Workspace", "Blog", "Homeworks", "Presences", "Module inconnu", "portal"]
CLASSES = ["CP Mme Lefèvre", "CE1-CE2", "CM1 B", "Petite section", "CM2 M. Müller", "cls-0007"]
AGENTS = [
    "Mozilla/5.0 (Linux; Android 15; Pixel) Mobile",
    "Mozilla/5.0 (iPad; CPU OS 19_1)",
    "Mozilla/5.0 (X11; Linux x86_64)",
    "app/2.1 (Android)",
    "curl/8",
]
CALIPER_TYPES = [
    ("SessionEvent", "LoggedIn"),
    ("SessionEvent", "LoggedOut"),
    ("ToolUseEvent", "Used"),
    ("ToolUseEvent", "Used"),
    ("NavigationEvent", "NavigatedTo"),
]
ROLES = ["Learner", "Instructor", "http://purl.imsglobal.org/vocab/lis/v2/membership#Mentor", "National_ENS", "x"]
VERBS = [
    "https://w3id.org/xapi/adl/verbs/logged-in",
    "http://adlnet.gov/expapi/verbs/launched",
    "https://w3id.org/xapi/netc/verbs/accessed",
    "https://w3id.org/xapi/dod-isd/verbs/received",
    "http://adlnet.gov/expapi/verbs/answered",
]
PARIS = (timezone(timedelta(hours=1)), timezone(timedelta(hours=2)))
Event = dict[str, Any]
Header = tuple[str, bytes | None]


class Generator:
    """Events of some schools, in their order."""

    def __init__(self, seed: int = 1, users: int = 9000, schools: int = 21) -> None:
        self.rng = random.Random(seed)
        self.users = users
        self.schools = [f"{n:07d}{LETTERS[n % 23]}" for n in range(689901, 689901 + schools)]
        self.start = datetime(2026, 11, 16, 6, tzinfo=UTC)
        self.count = 0

    def canonical(self, invalid: float = 0.01) -> bytes:
        """A structured event of about 400 bytes."""
        event = self.event()
        if self.rng.random() < invalid:
            return _spoiled(self.rng, event, SPOIL_CANONICAL)
        return self._written(event)

    def binary(self, invalid: float = 0.01) -> tuple[list[Header], bytes]:
        """The same in binary mode: headers and value."""
        event = self.event()
        data = event.pop("data")
        if self.rng.random() < invalid:
            spoiled = {**event, "data": data}
            SPOIL_CANONICAL[self.rng.randrange(len(SPOIL_CANONICAL))](spoiled)
            data = spoiled.pop("data", None)
            event = spoiled
        headers: list[Header] = [
            (f"ce_{name}", None if text is None else str(text).encode())
            for name, text in event.items()
            if name != "datacontenttype"
        ]
        headers.append(("content-type", b"application/json"))
        return headers, self._written(data)

    def entcore(self, invalid: float = 0.01) -> bytes:
        """A document of the event store or of the timeline."""
        document = self.document()
        if self.rng.random() < invalid:
            return _spoiled(self.rng, document, SPOIL_ENTCORE)
        return self._written(document)

    def caliper(self, invalid: float = 0.01) -> bytes:
        """A Caliper event, its entities bare or objects."""
        document = self.caliper_event()
        if self.rng.random() < invalid:
            return _spoiled(self.rng, document, SPOIL_CALIPER)
        return self._written(document)

    def xapi(self, invalid: float = 0.01) -> bytes:
        """An xAPI statement."""
        document = self.statement()
        if self.rng.random() < invalid:
            return _spoiled(self.rng, document, SPOIL_XAPI)
        return self._written(document)

    def caliper_event(self) -> Event:
        """A Caliper event as an object."""
        rng, user, school = self.rng, *self._someone()
        kind, action = rng.choice(CALIPER_TYPES)
        person, place = f"https://ent.example/users/u-{user:06d}", f"https://ent.example/schools/{school}"
        event: Event = {
            "@context": "http://purl.imsglobal.org/ctx/caliper/v1p2",
            "id": f"urn:uuid:{rng.getrandbits(128):032x}",
            "type": kind,
            "actor": person if rng.random() < 0.5 else {"id": person, "type": "Person", "name": "Jeanne"},
            "action": action,
            "eventTime": self._time(user),
            "object": "https://ent.example",
            "edApp": "https://ent.example" if rng.random() < 0.7 else {"id": "https://ent.example"},
        }
        if kind != "SessionEvent":
            app = rng.choice(MODULES)
            opened = {"id": f"https://ent.example/apps/{quote(app)}", "type": "SoftwareApplication", "name": app}
            event["object"] = opened["id"] if kind == "ToolUseEvent" and rng.random() < 0.3 else opened
        event["membership"] = {"id": "urn:m:1", "member": person, "organization": place, "roles": [rng.choice(ROLES)]}
        if rng.random() < 0.5:
            event["group"] = place if rng.random() < 0.5 else {"id": place, "type": "Organization"}
        if rng.random() < 0.5:
            event["session"] = f"urn:session:{rng.getrandbits(64):016x}"
        return event

    def statement(self) -> Event:
        """An xAPI statement as an object."""
        rng, user, school = self.rng, *self._someone()
        app = rng.choice(MODULES)
        verb = rng.choice(VERBS)
        opened = {
            "objectType": "Activity",
            "id": f"https://ent.example/apps/{quote(app)}",
            "definition": {"type": "http://activitystrea.ms/schema/1.0/application", "name": {"fr": app}},
        }
        extensions = {"urn:ent:uai": school if rng.random() < 0.5 else [school], "urn:ent:profile": rng.choice(ROLES)}
        context: Event = {"extensions": extensions}
        if rng.random() < 0.5:
            context["platform"] = rng.choice(["one", "NEO é"])
        return {
            "id": f"{rng.getrandbits(128):032x}",
            "version": "1.0.3",
            "timestamp": self._time(user),
            "actor": {"account": {"homePage": "https://ent.example", "name": f"u-{user:06d}"}},
            "verb": {"id": verb, "display": {"fr": "a lancé"}} if rng.random() < 0.8 else verb,
            "object": opened if rng.random() < 0.8 else opened["id"],
            "context": context,
        }

    def event(self) -> Event:
        """A canonical event as an object."""
        rng, user, school = self.rng, *self._someone()
        kind = rng.choices(["login", "activation", "app_visit", "notification"], [30, 2, 50, 18])[0]
        data: Event = {"uai": [school]} if rng.random() < 0.8 else {"structures": [f"s-{school}"]}
        if rng.random() < 0.85:
            data["classes"] = rng.sample(CLASSES, rng.choice([1, 1, 1, 2, 3]))
        elif rng.random() < 0.3:
            data["classes"] = None
        data["channel"] = rng.choice(["web", "mobile_app", "inconnu"])
        data["device"] = rng.choice(["ordinateur", "smartphone", "tablette"])
        data["user"] = f"usr-{user:09d}-{user * 2654435761 % 2**32:08x}"
        if kind == "notification":
            self._notify(data)
        else:
            data["profile"] = rng.choices(
                ["eleve", "parent", "enseignant", "personnel", "inconnu"], [35, 50, 10, 4, 1]
            )[0]
            if rng.random() < 0.9:
                data["session"] = f"{rng.getrandbits(96):024x}"
        if kind in {"app_visit", "notification"}:
            data["app"] = rng.choice(APPS)
        if kind == "app_visit" and rng.random() < 0.5:
            data["app_raw"], data["app_kind"] = rng.choice(MODULES), rng.choice(["NATIF", "TIERS"])
        event = {
            "specversion": "1.0",
            "id": f"{rng.getrandbits(128):032x}",
            "source": "urn:ent:one:villefictive",
            "type": f"fr.ent.{kind}.v1",
            "time": self._time(user),
        }
        if rng.random() < 0.3:
            event |= {"datacontenttype": "application/json", "partitionkey": school}
        return {**event, "data": data}

    def document(self) -> Event:
        """A document of entcore as an object."""
        rng, user, school = self.rng, *self._someone()
        kind = rng.choices(
            ["LOGIN", "ACTIVATION", "ACCESS", "CONNECTOR", "notification", "SHARE"], [30, 2, 40, 8, 15, 5]
        )[0]
        moment = self.start + timedelta(milliseconds=self.count * 37 + rng.randrange(30_000))
        date = int(moment.timestamp() * 1000)
        if kind == "notification":
            return self._timeline(user, moment)
        document: Event = {"event-type": kind, "module": rng.choice(MODULES), "date": date, "userId": f"u-{user:06d}"}
        document["profil"] = rng.choices(["Student", "Relative", "Teacher", "Personnel", "Guest"], [35, 50, 10, 4, 1])[
            0
        ]
        document["structures"] = [f"str-{school}"]
        if kind == "LOGIN":
            document["module"] = rng.choice(["Auth", "auth", "app-mobile-client"])
        if kind == "CONNECTOR":
            document |= {
                "connector-type": rng.choice(["Cas", "OAuth2"]),
                "service": "https://tiers.example:8443/cas?x=1",
            }
            return document | ({"cas-type": "unknown"} if rng.random() < 0.5 else {})
        document |= {"classes": [rng.choice(CLASSES)], "groups": ["grp-0042"], "ip": "192.0.2.10", "osName": "Unknown"}
        document |= {"ua": rng.choice(AGENTS), "deviceType": rng.choice(["desktop", "Unknown", "tablet", "phablet"])}
        if rng.random() < 0.2:
            document["platformName"] = rng.choice(["NEO", "ONE é"])
        if rng.random() < 0.7:
            document["sessionId"] = f"{rng.getrandbits(256):064x}"
        return document

    def _timeline(self, user: int, moment: datetime) -> Event:
        rng = self.rng
        spelt = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        recipients = [f"u-{rng.randrange(self.users):06d}" for _ in range(rng.randrange(4))]
        return {
            "action": "add",
            "type": rng.choice(["WORKSPACE", "MESSAGERIE", "SCHOOLBOOK", "BLOG"]),
            "event-type": rng.choice(["SHARE", "SEND-MESSAGE"]),
            "notificationName": "workspace.share",
            "sender": f"u-{user:06d}",
            "recipients": [{"userId": one, "unread": 1} for one in recipients],
            "recipientsIds": recipients,
            "date": {"$date": spelt if rng.random() < 0.5 else int(moment.timestamp() * 1000)},
            "pushNotif": {"title": "x"} if rng.random() < 0.3 else None,
            "disableMailNotification": rng.random() < 0.1,
            "params": {"username": "x"},
        }

    def _notify(self, data: Event) -> None:
        rng = self.rng
        data["kind"] = rng.choice(["SHARE", "SEND-MESSAGE", "blog.post"])
        data["sender_profile"] = rng.choice(["enseignant", "personnel", None])
        data["stage"] = rng.choice(["sent", "opened"])
        data["recipient_count"] = rng.randrange(200)
        if rng.random() < 0.7:
            data["recipients_by_profile"] = {"parent": rng.randrange(200)} if rng.random() < 0.8 else None
        data["push"], data["mail"] = rng.random() < 0.5, rng.random() < 0.5

    def _someone(self) -> tuple[int, str]:
        self.count += 1
        user = int(self.users * self.rng.random() ** 1.5)
        return user, self.schools[user % len(self.schools)]

    def _time(self, user: int) -> str:
        rng = self.rng
        moment = self.start + timedelta(milliseconds=self.count * 37 + rng.randrange(30_000))
        roll = rng.random()
        if roll < 0.7:
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if roll < 0.9:
            return moment.astimezone(PARIS[user % 2]).isoformat(timespec="seconds")
        return moment.isoformat(timespec="microseconds")

    def _written(self, document: object) -> bytes:
        separators = (",", ":") if self.rng.random() < 0.7 else None
        return json.dumps(document, ensure_ascii=self.rng.random() < 0.1, separators=separators).encode()


Spoiler = Callable[[Event], object]
SPOIL_CANONICAL: list[Spoiler] = [
    lambda e: e.update(time=str(e["time"])[:19]),
    lambda e: e.update(time="1970-01-01T00:00:00Z"),
    lambda e: e.update(time=1763272825),
    lambda e: e["data"].update(uai=["689901T"]),
    lambda e: e["data"].update(profile="Student", sender_profile="Student"),
    lambda e: e["data"].update(user=12),
    lambda e: e["data"].update(classes="CP"),
    lambda e: e["data"].update(user=""),
    lambda e: e["data"].update(uai=None, structures=[]),
    lambda e: e.update(id="x" * 129),
    lambda e: e.update(type="fr.ent.logout.v1"),
    lambda e: e.update(specversion="0.3"),
    lambda e: e.pop("time"),
    lambda e: e.update(data=[]),
]
SPOIL_ENTCORE: list[Spoiler] = [
    lambda e: e.update(date=1794901272),
    lambda e: e.update(date="yesterday"),
    lambda e: e.update(structures=[]),
    lambda e: e.update(userId=12, sender=12),
    lambda e: e.update(module="", type=""),
    lambda e: e.update(classes="CP", recipients="all"),
    lambda e: e.pop("date"),
    lambda e: e.update({"event-type": 5}),
]
SPOIL_CALIPER: list[Spoiler] = [
    lambda e: e.update(eventTime="yesterday"),
    lambda e: e.update(eventTime=1794901272),
    lambda e: e.update(actor="mailto:jeanne@ent.example"),
    lambda e: e.update(actor={"type": "Person"}),
    lambda e: e.update(group={"id": "68-0001"}, membership=None),
    lambda e: e.update(membership=None, group=None),
    lambda e: e.update(object=[]),
    lambda e: e.update(edApp=12),
    lambda e: e.pop("id"),
    lambda e: e.pop("action"),
]
SPOIL_XAPI: list[Spoiler] = [
    lambda e: e.update(timestamp="yesterday"),
    lambda e: e.update(timestamp=None),
    lambda e: e.update(actor={"mbox": "mailto:jeanne@ent.example"}),
    lambda e: e["actor"]["account"].update(name="jeanne@ent.example"),
    lambda e: e["context"].update(extensions={"urn:ent:uai": "68-0001"}),
    lambda e: e.update(context=None),
    lambda e: e.update(verb={}),
    lambda e: e.update(object=None),
    lambda e: e.update(id=12),
    lambda e: e.pop("id"),
]


def _spoiled(rng: random.Random, event: Event, ways: list[Spoiler]) -> bytes:
    way = rng.randrange(len(ways) + 2)
    if way < len(ways):
        ways[way](event)
        return json.dumps(event).encode()
    if way == len(ways):
        return json.dumps(event).encode()[:-20]
    return b"\xff" + json.dumps(event, ensure_ascii=False).encode("latin-1", "replace")
