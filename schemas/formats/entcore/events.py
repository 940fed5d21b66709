"""From the columns of entcore's documents to those of canonical events."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import polars as pl

from schemas.applications import OTHER, find
from schemas.decode.form import TAG
from schemas.event import Channel, Device, Profile, Stage
from schemas.formats.entcore.documents import EMISSION, IGNORED
from schemas.formats.frame import COLUMNS
from schemas.formats.profiles import ENTCORE as PROFILES
from schemas.pseudonym import Key
from schemas.reason import Drop

SOURCE: Final = "urn:ent:entcore"
MAX_STRUCTURES, MAX_CLASSES = 16, 40
"""As many as a canonical event holds; of a user with more, the first ones count."""
MAX_SOURCE, MAX_LABEL = 256, 64
"""Characters that a canonical event allows in its source and in the names of applications."""
ID_DIGITS = 32
DEVICES = {
    "desktop": Device.ORDINATEUR,
    "smartphone": Device.SMARTPHONE,
    "phablet": Device.SMARTPHONE,
    "mobile": Device.SMARTPHONE,
    "tablet": Device.TABLETTE,
    "other": Device.AUTRE,
}
_AGENTS = (
    (re.compile(r"iPad|Tablet|^Mozilla(?=.*Android)(?!.*Mobile)", re.DOTALL), Device.TABLETTE),
    (re.compile(r"iPhone|iPod|Android|Mobile"), Device.SMARTPHONE),
    (re.compile(r"Windows|Macintosh|CrOS|X11|Linux"), Device.ORDINATEUR),
)
_TYPES = {
    "LOGIN": "login",
    "ACTIVATION": "activation",
    "ACCESS": "app_visit",
    "CONNECTOR": "app_visit",
    EMISSION: "notification",
}
_KINDS = {"ACCESS": "NATIF", "CONNECTOR": "TIERS"}
_STAGES = {EMISSION: Stage.SENT.value}
_TEXTS = (
    *(TAG, "platform", "module", "profile", "device", "agent"),
    *("connector_type", "third_party", "service", "event_type", "notification_name"),
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([A-Za-z0-9.-]{1,253})(?::[0-9]{1,5})?(?:[/?#]|\Z)")


def canonical(frame: pl.DataFrame, event_key: Key) -> tuple[pl.DataFrame, list[tuple[int, Drop]]]:
    """Columns of the documents to those of events; what is not counted here is dropped."""
    ignored = frame[TAG] == IGNORED
    drops = [(index, Drop.IGNORED_TYPE) for index in frame["index"].filter(ignored)]
    straight = (frame.filter(~ignored) if drops else frame).select(_STRAIGHT)
    columns = {**straight.to_dict(), **_made(straight, event_key)}
    nothing = pl.Series([None]).new_from_index(0, len(straight))
    events = pl.DataFrame({name: columns.get(name, nothing) for name in COLUMNS})
    return events.cast(COLUMNS), drops  # type: ignore[arg-type]


_STRAIGHT = [
    pl.col("index", "time", "session", "push", "profile", "device", "agent", "platform"),
    pl.col("connector_type", "service", "event_type", "notification_name"),
    pl.col(TAG).cast(pl.String),
    pl.coalesce("module", "application").alias("module"),
    pl.coalesce("user", "sender").alias("user"),
    pl.coalesce("cas_type", "saml_type").alias("third_party"),
    pl.coalesce("recipients", "recipient_ids").alias("recipient_count"),
    pl.col("structures").list.head(MAX_STRUCTURES),
    pl.col("classes").list.head(MAX_CLASSES),
    (~pl.col("without_mail")).alias("mail"),
    pl.col("time").dt.epoch("ms").alias("moment_ms"),
]
"""What follows from the documents' columns without a look at the texts in them."""


def _made(frame: pl.DataFrame, event_key: Key) -> dict[str, pl.Series]:
    """The columns that are made of texts."""
    told = {name: frame[name].to_list() for name in _TEXTS}
    tags, modules = told[TAG], told["module"]
    sources = _each(_source, told["platform"])
    third_party = (told[name] for name in ("connector_type", "third_party", "service"))
    names = _each(_application, tags, modules, *third_party)
    ids = _ids(event_key, sources, tags, frame["user"].to_list(), modules, frame["moment_ms"].to_list())
    made = {
        "type": _each(_TYPES.get, tags),
        "id": ids,
        "source": sources,
        "profile": _each(_profile, tags, told["profile"]),
        "channel": _each(_channel, tags, modules),
        "device": _each(_device, tags, told["device"], told["agent"]),
        "app": [app for app, _ in names],
        "app_raw": [raw for _, raw in names],
        "app_kind": _each(_KINDS.get, tags),
        "kind": _each(_kind, tags, told["event_type"], told["notification_name"]),
        "stage": _each(_STAGES.get, tags),
    }
    return {name: pl.Series(name, values, pl.String) for name, values in made.items()}


class _Memo(dict[Any, Any]):
    """The values of a function of texts, asked once per distinct combination."""

    def __init__(self, of: Callable[..., Any]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, texts: Any) -> Any:
        made = self[texts] = self._of(*texts) if isinstance(texts, tuple) else self._of(texts)
        return made


def _each(of: Callable[..., Any], *columns: list[str | None]) -> list[Any]:
    """A function over some columns of texts."""
    rows = zip(*columns, strict=True) if len(columns) > 1 else columns[0]
    return list(map(_Memo(of).__getitem__, rows))


def _source(platform: str | None) -> str:
    return f"{SOURCE}:{quote(platform, safe='')}"[:MAX_SOURCE] if platform else SOURCE


def _profile(tag: str, name: str | None) -> str | None:
    if tag == EMISSION:  # of a sender, the timeline says no profile
        return None
    return PROFILES.get((name or "").casefold(), Profile.INCONNU).value


def _channel(tag: str, module: str) -> str | None:
    """The module of a login is `Auth`, or the client through which a telephone asked for a token."""
    if tag not in {"LOGIN", "ACTIVATION"}:
        return None
    return (Channel.WEB if module.casefold() == "auth" else Channel.MOBILE_APP).value


def _device(tag: str, kind: str | None, agent: str | None) -> str | None:
    """The class of device by what the platform's page says of it, else by the name of the browser."""
    told = DEVICES.get((kind or "").casefold())
    if tag == EMISSION or (told is None and not agent):
        return None
    return told or next((device for pattern, device in _AGENTS if pattern.search(agent or "")), Device.AUTRE).value


def _kind(tag: str, event_type: str | None, name: str | None) -> str | None:
    if tag != EMISSION:
        return None
    return next((text for text in (event_type, name) if text and _CODE.fullmatch(text)), None)


def _application(
    tag: str, module: str, protocol: str | None, third_party: str | None, service: str | None
) -> tuple[str | None, str | None]:
    """The key of an application in the catalogue, and the platform's name of it.

    CAS gives the Java class of the service as module, OAuth2 the client, and SAML a type of its own; so a connector is
    named by its protocol, its type there, the host of its service and its module, as far as they say something.
    """
    if tag in {"LOGIN", "ACTIVATION"}:
        return None, None
    names = [module]
    if tag == "CONNECTOR":
        names = [name for name in (protocol, third_party, _host(service), module) if name]
    known = next((found.key for name in names if (found := find(name))), OTHER)
    return known, "/".join(names)[:MAX_LABEL]


def _host(service: str | None) -> str | None:
    found = _HOST.match(service) if service else None
    return found[1].lower() if found else None


def _ids(
    key: Key, sources: list[str], tags: list[str], users: list[str | None], modules: list[str], moments_ms: list[int]
) -> list[str]:
    """Ids made of source, type, user, module and millisecond: two events equal in all of them are one.

    HMAC-SHA256 over the four texts' lengths, the moment and the texts, its first 128 bits in hex. The session is left
    out, for its meaning changed in 2026.
    """
    rows = zip(sources, tags, (user or "" for user in users), modules, moments_ms, strict=True)
    messages = (
        f"{len(source)},{len(tag)},{len(user)},{len(module)},{moment};{source}{tag}{user}{module}"
        for source, tag, user, module, moment in rows
    )
    return [mac.hex()[:ID_DIGITS] for mac in key.macs(message.encode() for message in messages)]
