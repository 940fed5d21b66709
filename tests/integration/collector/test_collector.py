"""The collector on a broker: what is answered, what is on Kafka, and when neither may happen."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import zstandard
from prometheus_client import generate_latest

from schemas.pseudonym import Pseudonyms
from streams.collector import metrics
from streams.collector.tokens import make_token
from tests.fuzz.generate import Generator
from tests.integration.brokers import LiveBroker
from tests.integration.collector.rig import KEY, collecting, make_topics, stored

NOW = datetime.now(UTC)
pytestmark = pytest.mark.parametrize("broker", ["embedded"], indirect=True)


@pytest.fixture(autouse=True)
def topics(broker: LiveBroker) -> None:
    make_topics(broker)


def login(user: str = "u-1", **changed: Any) -> dict[str, Any]:
    data = {"uai": ["0689901T"], "profile": "eleve", "user": user, "session": f"s of {user}"}
    event = {"specversion": "1.0", "id": uuid4().hex, "source": "urn:x", "type": "fr.ent.login.v1"}
    return {**event, "time": NOW.isoformat(), "data": data, **changed}


def caliper() -> dict[str, Any]:
    event = json.loads(Generator(1).caliper(0))
    return {**event, "id": uuid4().hex, "eventTime": NOW.isoformat(), "type": "ToolUseEvent", "action": "Used"}


def written(value: object) -> bytes:
    return json.dumps(value).encode()


async def test_every_way_of_sending_comes_to_kafka(broker: LiveBroker, tmp_path: Path) -> None:
    """One, batch, lines, binary mode, envelope, all formats mixed; plain, gzip and zstd; users as pseudonyms."""
    statement = json.loads(Generator(2).xapi(0)) | {"id": uuid4().hex, "timestamp": NOW.isoformat()}
    statement |= {"verb": "https://w3id.org/xapi/adl/verbs/logged-in"}
    document = {"event-type": "LOGIN", "module": "Auth", "date": int(NOW.timestamp() * 1000), "userId": uuid4().hex}
    document |= {"structures": ["str-1"]}
    envelope = {"sensor": "s", "sendTime": NOW.isoformat(), "dataVersion": "x", "data": [caliper(), caliper()]}
    one, binary = login(), login("u-binary")
    before = sum(map(len, stored(broker).values()))
    async with collecting(broker, tmp_path) as rig:
        assert await rig.post(written(one)) == (202, {"accepted": 1, "ignored": [], "refused": []})
        mixed = written([login(), statement, document, caliper()])
        assert (await rig.post(gzip.compress(mixed), content_encoding="gzip"))[1]["accepted"] == 4
        assert (await rig.post(zstandard.compress(written(envelope)), content_encoding="zstd"))[1]["accepted"] == 2
        lines = b"\n".join([written(login()), written(login())])
        assert (await rig.post(lines, "application/x-ndjson"))[1]["accepted"] == 2
        attributes = {f"ce-{name}": binary[name] for name in ("specversion", "id", "source", "type", "time")}
        assert (await rig.post(written(binary["data"]), **attributes))[0] == 202
    values = [value for topic in stored(broker).values() for value in topic]
    assert len(values) - before == 10
    mine = {event["id"]: event for event in map(json.loads, values)}
    ours = Pseudonyms(KEY)
    assert mine[one["id"]]["data"]["user"] == ours.text("u-1")
    assert mine[binary["id"]]["data"]["session"] == ours.text("s of u-binary")
    assert not any(sign in value for value in values for sign in (b'"u-1"', b"u-binary", b"users/u-"))


async def test_each_record_has_its_answer(broker: LiveBroker, tmp_path: Path) -> None:
    """A bad one costs itself only; a batch of nothing good is 422; none of the answers quotes what was sent."""
    bad = [{"jeanne": "jeanne"}, login(type="jeanne"), login(time="jeanne"), "jeanne", {"event-type": "SHARE"}]
    async with collecting(broker, tmp_path) as rig:
        status, answer = await rig.post(written([login(), *bad, login()]))
        assert (status, answer["accepted"]) == (207, 2)
        assert [one["index"] for one in answer["refused"]] == [1, 2, 3, 4]
        assert answer["ignored"] == [{"index": 5, "reason": "ignored_type"}]
        assert "jeanne" not in json.dumps(answer)
        assert (await rig.post(written(bad[:2])))[0] == 422
        assert await rig.post(b"[]") == (202, {"accepted": 0, "ignored": [], "refused": []})


async def test_a_request_may_be_repeated(broker: LiveBroker, tmp_path: Path) -> None:
    """The same answer, and records that are equal to the byte: downstream an event counts once by source and id."""
    document = {"event-type": "LOGIN", "module": "Auth", "date": int(NOW.timestamp() * 1000), "userId": uuid4().hex}
    body = written([login(), {**document, "structures": ["str-1"]}])
    before = stored(broker)["ent.login.v1"]
    async with collecting(broker, tmp_path) as rig:
        first, second = await rig.post(body), await rig.post(body)
    assert first == second
    new = stored(broker)["ent.login.v1"]
    added = [value for value in new if value not in before]
    assert sorted(added) == sorted(2 * sorted(set(added)))
    assert len(added) == 4


async def test_only_tokens_open_and_only_their_schools(broker: LiveBroker, tmp_path: Path) -> None:
    """No token, a wrong one, another scheme: 401 and a challenge; a school out of scope: refused."""
    async with collecting(broker, tmp_path, ["0689902U"]) as rig:
        for wrong in (
            "",
            "Bearer",
            "Bearer wrong",
            f"Basic {rig.secret}",
            f"Bearer {rig.secret[:-1]}",
            "Bearer \u00e9",
        ):
            async with rig.session.post(rig.url, data=written(login()), headers={"Authorization": wrong}) as answer:
                assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        status, answered = await rig.post(written([login(), login(data={**login()["data"], "uai": ["0689902U"]})]))
        assert (status, answered["accepted"]) == (207, 1)
        assert [one["reason"] for one in answered["refused"]] == ["out_of_scope"]


async def test_a_token_is_exchanged_without_a_restart(broker: LiveBroker, tmp_path: Path) -> None:
    """Both work while both are in the file; a broken file changes nothing."""
    async with collecting(broker, tmp_path) as rig:
        new = make_token("one", ["*"], None)
        old = rig.secret
        entries = rig.tokens.read_text()

        async def answers(secret: str) -> int:
            rig.secret = secret
            return (await rig.post(b"[]"))[0]

        rig.tokens.write_text(entries + new.entry)
        await _until(lambda: answers(new.secret), 202)
        assert await answers(old) == 202
        rig.tokens.write_text("[[token")
        await asyncio.sleep(1.2)
        assert await answers(old) == 202
        rig.tokens.write_text(new.entry)
        await _until(lambda: answers(old), 401)
        assert await answers(new.secret) == 202


async def _until(ask: Callable[[], Any], want: int) -> None:
    async with asyncio.timeout(5):
        while await ask() != want:
            await asyncio.sleep(0.05)


async def test_a_platform_that_sends_too_much_is_told_to_wait(broker: LiveBroker, tmp_path: Path) -> None:
    """429 with Retry-After, without reading the body."""
    async with collecting(broker, tmp_path, rate_records_s=1) as rig:
        assert (await rig.post(written([login() for _ in range(5)])))[0] == 202
        headers = {"Authorization": f"Bearer {rig.secret}"}
        async with rig.session.post(rig.url, data=written(login()), headers=headers) as answer:
            assert answer.status == 429
            assert 1 <= int(answer.headers["Retry-After"]) <= 3


async def test_what_is_too_large_is_refused(broker: LiveBroker, tmp_path: Path) -> None:
    """As sent, with and without a length, decompressed, and by number of records; and too much at once."""
    async with collecting(broker, tmp_path, max_body_bytes=2048, max_decoded_bytes=4096, max_records=5) as rig:
        assert (await rig.post(b"[" + b" " * 3000 + b"]"))[0] == 413

        async def pieces() -> Any:
            for _ in range(30):
                yield b" " * 100

        headers = {"Authorization": f"Bearer {rig.secret}", "Content-Type": "application/json"}
        async with rig.session.post(rig.url, data=pieces(), headers=headers) as answer:
            assert answer.status == 413
        assert (await rig.post(gzip.compress(bytes(1 << 20)), content_encoding="gzip"))[0] == 413
        assert (await rig.post(b"[1,2,3,4,5,6]"))[0] == 413
        assert (await rig.post(b"<xml/>", "text/xml"))[0] == 415
        assert (await rig.post(b"[]", content_encoding="br"))[0] == 415
    async with collecting(broker, tmp_path, max_waiting_bytes=1024) as rig:
        assert (await rig.post(written([login() for _ in range(20)])))[0] == 503


async def test_without_kafka_nothing_is_confirmed(broker: LiveBroker, tmp_path: Path) -> None:
    """503 with Retry-After while Kafka is away; the same request is taken when it is back."""
    async with collecting(broker, tmp_path, kafka_timeout_s=2.0) as rig:
        assert (await rig.post(written(login())))[0] == 202
        event = login()
        headers = {"Authorization": f"Bearer {rig.secret}", "Content-Type": "application/json"}
        with broker.outage():
            async with rig.session.post(rig.url, data=written(event), headers=headers) as answer:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) > 0
            assert rig.collector.ready() is not None
        async with asyncio.timeout(30):
            while (await rig.post(written(event)))[0] != 202:
                await asyncio.sleep(0.2)
        assert rig.collector.ready() is None
    assert any(json.loads(value)["id"] == event["id"] for value in stored(broker)["ent.login.v1"])


async def test_metrics_count_and_name_nobody(
    broker: LiveBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By platform and outcome; a canary in every field of a person is in no metric, log or answer."""
    canary = f"canary{uuid4().hex}"
    async with collecting(broker, tmp_path) as rig:
        _, answer = await rig.post(written([login(canary), login(canary, time=canary), {"user": canary}]))
        assert (await rig.post(b"[]", user_agent=canary, x_forwarded_for=canary))[0] == 202
    shown = generate_latest(metrics.REGISTRY).decode()
    assert 'ent_collector_records_total{outcome="accepted",platform="one"}' in shown
    assert 'ent_collector_requests_total{platform="one",status="207"}' in shown
    for text in (shown, caplog.text, json.dumps(answer), *(v.decode() for t in stored(broker).values() for v in t)):
        assert canary not in text
