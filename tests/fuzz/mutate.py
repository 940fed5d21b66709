"""Records bent out of shape at random, most of each still valid: there a false acceptance would hide."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

from tests.fuzz.generate import Generator, Header

TIMES = [
    *("2026-11-16T06:00:25Z", "2026-11-16t06:00:25z", "2026-11-16 06:00:25Z", "2026-11-16T06:00Z"),
    *("2026-11-16T06:00:25", "2026-11-16", "2026-11-16T06:00:25.1234567Z", "2026-11-16T06:00:25.123456789Z"),
    *("2026-11-16T06:00:25,5Z", "2026-11-16T06:00:60Z", "2026-11-16T24:00:00Z", "2026-02-29T00:00:00Z"),
    *("2024-02-29T23:59:59.999999Z", "2026-04-31T00:00:00Z", "2026-11-16T06:00:25+0100"),
    *("2026-11-16T06:00:25+01", "2026-11-16T06:00:25+14:59", "2026-11-16T06:00:25-23:59"),
    *("2026-11-16T06:00:25+24:00", "2026-11-16T06:00:25-00:00", "2026-11-16T06:00:25−01:00"),
    *("2014-12-31T23:59:59Z", "2015-01-01T00:00:00Z", "2015-01-01T00:30:00+01:00"),
    *("2099-12-31T23:59:59.999999Z", "2099-12-31T23:59:59-01:00", "2100-01-01T00:30:00+01:00"),
    *("2100-01-01T00:00:00Z", "20261116T060025Z", "1763272825", "1763272825000", "1763272825.5"),
    *(" 2026-11-16T06:00:25Z", "2026-11-16T06:00:25Z ", "2026-11-16T06:00:25.Z", "2026-11-16T06:00:25Z\n"),
    *("2026-11-16_06:00:25Z", "+2026-11-16T06:00:25Z", "٢٠٢٦-11-16T06:00:25Z", "2026-1-16T06:00:25Z"),
    *("2026-11-16T6:00:25Z", "2026-W47-1T06:00:25Z", "2026-320T06:00:25Z", "PT5S", "", "9999-12-31T23:59:59Z"),
    *("0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-11-16T06:00:25Z[Europe/Paris]"),
]
UAIS = [
    *("0689901T", "0689901t", "0689901A", " 0689901T", "0689901T\n", "068990\u0661T", "0000000A", "9999999Z"),
    *("0689901", ""),
]
STRINGS = [
    *("", "a", "a" * 64, "a" * 65, "a" * 128, "a" * 129, "a" * 256, "a" * 257, "é" * 64, "é" * 65, "é" * 128),
    *("é" * 129, "\U0001f600" * 64, "\U0001f600" * 65, "\U0001f600" * 128, "\U0001f600" * 129, "e\u0301" * 32),
    *("a\u0000b", "\u2028", "\ufeff", "\uffff", " ", "\n", "a\n", "\x7f", "\x1f", "\x80", "blog", "Blog"),
    *("blog\n", "_", "null", "eleve", "ELEVE", "Student", "National_ELV", "web", "sent", "opened", "1.0"),
    *("1.0 ", "1", "login", "fr.ent.login.v1", "fr.ent.activation.v1", "fr.ent.app_visit.v1"),
    *("fr.ent.notification.v1", "fr.ent.logout.v1", "LOGIN", "ACCESS", "CONNECTOR", "ACTIVATION", "SHARE"),
    *("add", "delete", "Auth", "\\", '"', "/", "a" * 5000, "hmac:00000000" + "0" * 32, "true", "42", "TIERS"),
    *("Cas", "https://tiers.example/cas", "https://u:p@tiers.example/", "ftp://x", "tablet"),
    *("Mozilla/5.0 (iPhone) Mobile", "a.b-c_d"),
]
RAW = [
    *(b"null", b"true", b"false", b"0", b"-0", b"1", b"1.0", b"1e3", b"-1", b"1763272825", b"1763272825000"),
    *(b"1763272825.5", b"1763272825000.0", b"1763272825000.5", b"1e12", b"1763272825000000", b"1420070399999"),
    *(b"1420070400000", b"4102444799999", b"4102444800000", b"99999999999", b"100000000000", b"10000000"),
    *(b"10000001", b"4294967296", b"9223372036854775808", b"NaN", b"Infinity", b"-Infinity", b"1e999"),
    *(b"9" * 25, b"9" * 4300, b"9" * 4301, b"1." + b"9" * 4400, b"01", b"1.", b".5", b"+1", b"1e", b"[]"),
    *(b"{}", b"[null]", b'[["a"]]', b"[1]", b'{"a":1}', b'["a"]', b'[""]', b'["a",]', b'{"a":1,}'),
    *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b'"\\u0000"', b'"\\q"', b'"\\u12g4"', b'"\xff"'),
    *(b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xc3"', b'"a\nb"', b'"a\x00b"', b'"a\x7fb"'),
    *(b'"\\u00e9"', b"tru", b"nul", b"'a'", b"", b"[" * 99 + b"]" * 99, b"[" * 150 + b"]" * 150),
    *(b"[" * n + b"]" * n for n in (197, 198, 199, 200, 201, 1200)),
    b'{"a":' * 210 + b"1" + b"}" * 210,
    *(b"[" + b'"x",' * n + b'"x"]' for n in (14, 15, 16, 39, 40)),
    *(b"[" + b'"0689901T",' * n + b'"0689901T"]' for n in (15, 16)),
    *(b'{"eleve":1}', b'{"eleve":null}', b'{"eleve":-1}', b'{"parent":10000001}', b'{"eleve":"3","x":[1]}'),
    *(b'{"eleve":2.0}', b'{"$date":1763272825000}', b'{"$date":1763272825}'),
    *(b'{"$date":"2026-11-16T06:00:25.123Z"}', b'{"$date":null}', b'{"$date":"1763272825000"}'),
    *(b'{"$date":"2026-11-16T06:00:25"}', b'{"$date":{"$date":1}}', b'{"$date":1763272825000.5}'),
    *(b'{"$date":1763272825000,"x":2}', b'{"$date":"2026-11-16 06:00:25+01:00"}'),
    *(b'{"$numberLong":"1763272825000"}', b'[{"userId":"a"},{"userId":"b"}]', b'[1e999]', b'[NaN]'),
    b'{"title":1e400}',
]  # fmt: skip
BYTES = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\t", b"\r", b"\x00", b"\xff", b"\xc3"),
    *(b"\xa9", b"\xe2\x80\xa8", b"0", b"-", b"e", b"null", b"\\u0041", b"\\ud800", b"//", b"\xef\xbb\xbf"),
    *(b"\x0b", b"\x7f", b"}{", b"},{", b"}\n{", b"\xc2\xa0"),
]
CANONICAL_KEYS = [
    *(b"type", b"id", b"source", b"specversion", b"time", b"data", b"uai", b"structures", b"classes"),
    *(b"profile", b"user", b"session", b"app", b"app_raw", b"app_kind", b"channel", b"device", b"kind"),
    *(b"stage", b"sender_profile", b"push", b"recipient_count", b"recipients_by_profile", b"eleve", b"mail"),
]
ENTCORE_KEYS = [
    *(b"event-type", b"module", b"date", b"userId", b"profil", b"structures", b"classes", b"sessionId"),
    *(b"platformName", b"deviceType", b"ua", b"connector-type", b"cas-type", b"saml-type", b"service"),
    *(b"action", b"notificationName", b"sender", b"recipients", b"recipientsIds", b"pushNotif"),
    *(b"disableMailNotification", b"type", b"$date"),
]
CALIPER_KEYS = [
    *(b"id", b"type", b"action", b"eventTime", b"actor", b"object", b"edApp", b"session", b"group", b"membership"),
    *(b"organization", b"roles", b"name", b"subOrganizationOf", b"extensions", b"uai", b"profile", b"sensor", b"data"),
]
XAPI_KEYS = [
    *(b"id", b"timestamp", b"stored", b"actor", b"account", b"homePage", b"name", b"verb", b"object", b"definition"),
    *(b"type", b"context", b"platform", b"extensions", b"urn:ent:uai", b"urn:ent:profile", b"mbox", b"openid", b"fr"),
]
ODD_KEYS = [
    *(b"extra", b"", b"Type", b"type ", b"us\\u0065r", b"u\\u0061i", b"specv\\u0065rsion", b"event\\u002dtype"),
    *(b"x\xff", b"\\ud800", b"__class__", b"model_config", b"index", b"t\\u0079pe", b"names", b"event_type"),
    *(b"d\\u0061ta", b"specversion", b"event-type", b"type", b"action"),
    *(b"eventTime", b"verb", b"event\\u0054ime", b"v\\u0065rb", b"sendTime", b"sensor"),
]
PAIR = re.compile(rb'("(?:[^"\\]|\\.)*")(\s*:\s*)("(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{[^{}]*\}|[^,}\]]+)')
TYPED_CANONICAL = [
    *(b"time", b"time", b"time", b"id", b"source", b"type", b"specversion", b"uai", b"uai", b"structures"),
    *(b"classes", b"profile", b"user", b"session", b"app", b"app_raw", b"kind", b"stage", b"app_kind"),
    *(b"sender_profile", b"recipient_count", b"recipients_by_profile", b"push"),
]
TYPED_ENTCORE = [
    *(b"date", b"date", b"$date", b"$date", b"$date", b"module", b"userId", b"profil", b"event-type"),
    *(b"sessionId", b"notificationName", b"action", b"deviceType", b"ua", b"platformName", b"service"),
    *(b"cas-type", b"structures", b"classes", b"type", b"sender", b"recipients", b"pushNotif"),
]
TYPED_CALIPER = [
    *(b"eventTime", b"eventTime", b"id", b"id", b"type", b"action", b"actor", b"object", b"edApp", b"session"),
    *(b"group", b"organization", b"roles", b"name", b"membership"),
]
TYPED_XAPI = [
    *(b"timestamp", b"timestamp", b"id", b"id", b"name", b"homePage", b"platform", b"type", b"verb", b"object"),
    *(b"urn:ent:uai", b"urn:ent:profile", b"fr", b"account", b"extensions"),
]
KEYS = {
    "canonical": (CANONICAL_KEYS, TYPED_CANONICAL),
    "binary": (CANONICAL_KEYS, TYPED_CANONICAL),
    "entcore": (ENTCORE_KEYS, TYPED_ENTCORE),
    "caliper": (CALIPER_KEYS, TYPED_CALIPER),
    "xapi": (XAPI_KEYS, TYPED_XAPI),
}
TIME_KEYS = {b"time", b"date", b"$date", b"eventTime", b"timestamp", b"stored"}
LIST_KEYS = {b"uai", b"structures", b"classes"}
VALUES = [
    *(None, b"", b"\xff", b"\xed\xa0\x80", b'a"b', b"\\", b"a\x00"),
]
INJECTED = [
    *(b',"id":"evil"', b'},"id":"evil"', b',"type":"fr.ent.login.v1"', b"}}", b',"x":{'),
    *(b'} ,"data":{"uai":["0689901T"]', b'},"specversion":"1.0"', b"},", b' , "y": 1', b"}\n{"),
]
_STEPS = (
    *("replace", "replace", "typed", "typed", "typed", "typed", "add", "add", "borrow", "borrow", "twice", "drop"),
    *("byte", "byte", "flip", "cut", "space", "join", "wrap", "order"),
)


class Mutator:
    """An endless supply of bent records of one mode: a format's name, or binary."""

    def __init__(self, seed: int, mode: str) -> None:
        self.rng = random.Random(seed)
        self.mode = mode
        self.generator = Generator(seed)
        self._keys, self._typed_keys = KEYS[mode]
        self._steps: dict[str, Callable[[bytes], bytes]] = {name: getattr(self, f"_{name}") for name in set(_STEPS)}

    def record(self) -> tuple[str, list[Header] | None, bytes]:
        """The names of what was done, the headers, and the value."""
        headers: list[Header] | None = None
        if self.mode == "binary":
            headers, raw = self.generator.binary(invalid=0.02)
        else:
            raw = self._plain(0.02)
        names = []
        for _ in range(self.rng.choice([0, 1, 1, 1, 1, 2, 2, 3])):
            if headers is not None and self.rng.random() < 0.5:
                names.append("header")
                self._header(headers)
            elif headers is not None and self.rng.random() < 0.1:
                names.append("inject")
                at = self.rng.choice([len(raw), len(raw) - 1])
                raw = raw[:at] + self.rng.choice(INJECTED) + raw[at:]
            else:
                name = self.rng.choice(_STEPS)
                names.append(name)
                raw = self._steps[name](raw)
        return "+".join(sorted(names)) or "none", headers, raw

    def _plain(self, invalid: float) -> bytes:
        make: Callable[[float], bytes] = getattr(self.generator, "canonical" if self.mode == "binary" else self.mode)
        return make(invalid)

    def _text(self, pool: list[str]) -> bytes:
        return json.dumps(self.rng.choice(pool), ensure_ascii=self.rng.random() < 0.5).encode()

    def _value(self) -> bytes:
        pool = self.rng.randrange(5)
        return self.rng.choice(RAW) if pool < 2 else self._text((TIMES, UAIS, STRINGS)[pool - 2])

    def _header(self, headers: list[Header]) -> None:
        rng = self.rng
        place = rng.randrange(len(headers)) if headers else 0
        new = rng.choice([*TIMES, *STRINGS]).encode()
        match rng.randrange(8):
            case 0 if headers:
                del headers[place]
            case 1 if headers:
                headers.append((headers[place][0], new))
            case 2:
                headers.append((rng.choice(["ce_data", "ce_id", "ce_subject", "CE_ID", "traceparent", "ce_time"]), new))
            case 3:
                headers.append(("content-type", rng.choice([b"application/cloudevents+json", b"text/plain", b""])))
                headers.reverse()
            case 4 if headers:
                headers[place] = (
                    headers[place][0],
                    rng.choice([None, b"", b"\xff", b"\xed\xa0\x80", b'a"b', b"\\", b"a\x00"]),
                )
            case _ if headers:
                name = headers[place][0]
                headers[place] = (name, rng.choice(TIMES if name == "ce_time" else STRINGS).encode())

    def _at(self, raw: bytes) -> re.Match[bytes] | None:
        found = list(PAIR.finditer(raw))
        return self.rng.choice(found) if found else None

    def _replace(self, raw: bytes) -> bytes:
        m = self._at(raw)
        return raw[: m.start(3)] + self._value() + raw[m.end(3) :] if m else raw

    def _typed(self, raw: bytes) -> bytes:
        """Another value of the kind that a field expects."""
        rng = self.rng
        key = rng.choice(self._typed_keys)
        if rng.random() < 0.2:
            new = rng.choice(RAW)
        elif key in LIST_KEYS:
            items = (self._text(UAIS if rng.random() < 0.7 else STRINGS) for _ in range(rng.randrange(4)))
            new = b"[" + b",".join(items) + b"]"
        else:
            new = self._text(TIMES if key in TIME_KEYS else STRINGS)
        found = re.search(rb'"' + re.escape(key) + rb'"\s*:\s*("(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{[^{}]*\}|[^,}\]]+)', raw)
        return raw[: found.start(1)] + new + raw[found.end(1) :] if found else self._add(raw)

    def _add(self, raw: bytes) -> bytes:
        keys = self._keys if self.rng.random() < 0.7 else ODD_KEYS
        return self._insert(raw, b'"' + self.rng.choice(keys) + b'":' + self._value())

    def _borrow(self, raw: bytes) -> bytes:
        """A field of another record, as it stands there."""
        found = self._at(self._plain(0))
        return self._insert(raw, found[0]) if found else raw

    def _insert(self, raw: bytes, pair: bytes) -> bytes:
        inner = raw.find(b'"data":')
        brace = raw.find(b"{", inner) if inner >= 0 and self.rng.random() < 0.7 else -1
        if brace >= 0:
            return raw[: brace + 1] + pair + b"," + raw[brace + 1 :]
        if self.rng.random() < 0.5:
            return b"{" + pair + b"," + raw[1:]
        return raw[:-1] + b"," + pair + b"}"

    def _twice(self, raw: bytes) -> bytes:
        m, n = self._at(raw), self._at(raw)
        if not m or not n:
            return raw
        pair = b"," + m[1] + b":" + (n[3] if self.rng.random() < 0.5 else self._value())
        end = raw.rfind(b"}", 0, len(raw) - 1) if self.rng.random() < 0.5 else -1
        return raw[:end] + pair + raw[end:] if end > 0 else raw[:-1] + pair + b"}"

    def _drop(self, raw: bytes) -> bytes:
        m = self._at(raw)
        return raw[: m.start()] + raw[m.end() :].lstrip(b", ") if m else raw

    def _byte(self, raw: bytes) -> bytes:
        i = self.rng.randrange(len(raw) + 1)
        return raw[:i] + self.rng.choice(BYTES) + raw[i:]

    def _flip(self, raw: bytes) -> bytes:
        if not raw:
            return raw
        i = self.rng.randrange(len(raw))
        return raw[:i] + bytes([raw[i] ^ 1 << self.rng.randrange(8)]) + raw[i + 1 :]

    def _cut(self, raw: bytes) -> bytes:
        i, j = sorted(self.rng.randrange(len(raw) + 1) for _ in range(2))
        return raw[:i] + raw[j:] if self.rng.random() < 0.5 else raw[:i]

    def _space(self, raw: bytes) -> bytes:
        before = self.rng.choice([b" ", b"\n", b"\t", b"\r\n", b"\x0c", b"\xef\xbb\xbf", b"\x00", b""])
        return before + raw + self.rng.choice([b" ", b"\n", b"\x00", b"x", b",", b""])

    def _join(self, raw: bytes) -> bytes:
        return raw + self.rng.choice([b"", b"\n", b",", b" "]) + self._plain(0)

    def _wrap(self, raw: bytes) -> bytes:
        return self.rng.choice([b"[%s]", b'{"a":%s}', b'"%s"', b"%s"]).replace(b"%s", raw)

    def _order(self, raw: bytes) -> bytes:
        try:
            items = list(json.loads(raw).items())
        except (ValueError, AttributeError, RecursionError):
            return raw
        self.rng.shuffle(items)
        return json.dumps(dict(items), ensure_ascii=False).encode("utf-8", "surrogatepass")
