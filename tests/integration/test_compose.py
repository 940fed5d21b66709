"""docker-compose.yml and what it mounts, as far as they can be checked without a container engine."""

import os
import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from typer.main import get_command

from streams.bridge.metrics import REGISTRY as BRIDGE
from streams.brokers.jars import KAFKA_VERSION
from streams.collector.metrics import REGISTRY as COLLECTOR
from streams.collector.tokens import Tokens
from streams.commands import app
from streams.metrics import REGISTRY
from streams.settings import Settings, read_database_settings, read_settings
from streams.transport.settings import TransportSettings
from tests.requirements import need
from tests.settings_names import variables

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
ONE_SHOTS = sorted(name for name, service in SERVICES.items() if service["restart"] == "no")
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
RECORDED: dict[str, str] = {
    rule["record"]: rule["expr"]
    for group in yaml.safe_load((ROOT / "deploy/prometheus/recorded.yml").read_text())["groups"]
    for rule in group["rules"]
}
USERS = ET.parse(ROOT / "deploy/clickhouse/users.xml").getroot()
NO_PASSWORDS = {"ALERT_WEBHOOK_URL", "ALERT_EMAIL", "SMTP_ENABLED", "SMTP_HOST"}
"""Variables that compose demands and that have a value in .env.example."""
HAND_FILLED = {"tokens.toml", "bridge_authorization"}
"""Secrets that platforms and operators give each other."""
PINNED = re.compile(r"[a-z0-9/-]+:v?\d+\.\d+\.\d+[a-z0-9.-]*")
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY")
DRAWN = re.compile(r"\$\{([A-Z_]+):\?[^}]+\}")


def environment(service: str) -> dict[str, str]:
    given: dict[str, str] = SERVICES[service].get("environment", {})
    return given


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an .env and secrets as deploy/make_env.py draws them."""
    folder = tmp_path_factory.mktemp("deployment")
    subprocess.run([sys.executable, ROOT / "deploy/make_env.py", folder], check=True, capture_output=True)
    return folder


@pytest.fixture
def set_up(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that gives this process the environment of a service, with secrets from the drawn files."""
    passwords = dict(
        line.split("=", 1) for line in (drawn / ".env").read_text().splitlines() if "=" in line and line[0] != "#"
    )

    def apply(service: str) -> None:
        for name in [name for name in os.environ if name.startswith("ENT_")]:
            monkeypatch.delenv(name)
        for name, value in environment(service).items():
            filled = DRAWN.sub(lambda found: passwords[found[1]], value)
            monkeypatch.setenv(name, filled.replace("/run/secrets", str(drawn / "deploy/secrets")))

    return apply


def config(*options: str) -> subprocess.CompletedProcess[str]:
    """What docker-compose makes of the file, without the variables of this process."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    command = ["docker-compose", "--file", str(ROOT / "docker-compose.yml"), *options, "config"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=kept, cwd=ROOT)


def test_compose_reads_the_file_with_the_drawn_secrets(drawn: Path) -> None:
    """`docker-compose config` accepts it and knows every service, those of profiles included."""
    need("compose")
    profiles = [word for name in ("simulate", "collector", "bridge") for word in ("--profile", name)]
    done = config("--env-file", str(drawn / ".env"), *profiles)
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(SERVICES)


def test_compose_refuses_to_start_without_secrets(tmp_path: Path) -> None:
    """Nothing has a default password, and the message says what to run."""
    need("compose")
    empty = tmp_path / "empty.env"
    empty.touch()
    done = config("--env-file", str(empty))
    assert done.returncode != 0
    assert "deploy/make_env.py" in done.stderr


@pytest.mark.parametrize("service", OURS)
def test_services_set_only_variables_that_exist(service: str) -> None:
    """A misspelt setting would be ignored in silence."""
    assert {name for name in environment(service) if name.startswith("ENT_")} <= set(variables(Settings))


def test_the_worker_starts_with_what_it_is_given(set_up: Callable[[str], None]) -> None:
    """Its environment makes valid settings, keys included, and names it for static membership."""
    set_up("worker")
    settings = read_settings()
    assert settings.kafka.instance
    assert settings.key("pseudonym_key").fingerprint != settings.key("event_id_key").fingerprint
    assert settings.metrics_host == "0.0.0.0"


@pytest.mark.parametrize("door", ["collector", "bridge"])
def test_the_doors_start_with_what_they_are_given(
    set_up: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    """Keys that are the worker's, a file of tokens that can be read, and the platform's address once .env has it."""
    set_up("worker")
    key = read_settings().keyring().of(datetime(2026, 11, 23, tzinfo=UTC)).number("one")
    set_up(door)
    if door == "bridge":
        monkeypatch.setenv("ENT_BRIDGE__URL", "https://ent.example")
    settings = read_settings()
    assert settings.keyring().of(datetime(2026, 11, 23, tzinfo=UTC)).number("one") == key
    assert settings.metrics_host == "0.0.0.0"
    if door == "collector":
        assert settings.collector.tokens_file is not None
        assert Tokens(settings.collector.tokens_file).platforms == {"nobody"}
        assert SERVICES["collector"]["ports"][0].endswith(f":{settings.collector.port}")


def test_the_one_shots_start_with_what_they_are_given(set_up: Callable[[str], None]) -> None:
    """`ent migrate` needs the database and `ent topics` the broker, and neither needs a key."""
    set_up("migrate")
    assert read_database_settings().host == "clickhouse"
    set_up("topics")
    assert read_settings().kafka.bootstrap == environment("worker")["ENT_KAFKA__BOOTSTRAP"]


@pytest.mark.parametrize("service", OURS)
def test_commands_exist(service: str) -> None:
    """Each of our containers runs a command of `ent`, with options and arguments that it takes."""
    words = list(SERVICES[service]["command"])
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        name = words.pop(0)
        command = command.commands[name]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in SERVICES[service].get("volumes", [])}
    context = command.make_context(service, [str(ROOT / mounted[word]) if word in mounted else word for word in words])
    assert context.args == []


@pytest.mark.parametrize("service", SERVICES)
def test_mounted_files_are_there(service: str) -> None:
    """A path that is missing would be made by the engine, as an empty folder."""
    for volume in SERVICES[service].get("volumes", []):
        source, _, rest = volume.partition(":")
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert rest.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


def test_secrets_are_the_files_that_the_script_draws(drawn: Path) -> None:
    """Each is drawn or waits to be filled in, and every service that names one is given it."""
    for name, secret in COMPOSE["secrets"].items():
        assert secret["file"] == f"./deploy/secrets/{name}"
        assert (drawn / secret["file"]).exists()
        assert name in HAND_FILLED or len((drawn / secret["file"]).read_text()) >= 64
    for service, what in SERVICES.items():
        named = {
            name
            for value in [*environment(service).values(), *what.get("command", [])]
            for name in re.findall(r"/run/secrets/(\S+)", value)
        }
        assert named == set(what.get("secrets", []))


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_stands_in_the_file(service: str) -> None:
    """Passwords come from variables that must be set, keys from files."""
    for name, value in environment(service).items():
        if SECRET_NAME.search(name):
            assert DRAWN.fullmatch(value) or value.startswith("/run/secrets/"), name


def test_images_are_pinned() -> None:
    """By a full version, in compose and in the Dockerfile; the broker's is the one that the tests run."""
    images = {service["image"] for service in SERVICES.values()}
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert bases
    assert not [image for image in [*images, *bases] if not PINNED.fullmatch(image)]
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {SERVICES[service]["image"] for service in OURS} == {f"ent-telemetry:{version}"}
    assert re.fullmatch(r"[a-z-]+@\d+\.\d+\.\d+", environment("grafana")["GF_PLUGINS_PREINSTALL_SYNC"])


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_loopback_only(service: str) -> None:
    """Who wants more puts a proxy with TLS before it."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service].get("ports", []))


@pytest.mark.parametrize("service", SERVICES)
def test_services_are_bounded_and_watched(service: str) -> None:
    """Each has limits and bounded logs, and what runs on has a health check."""
    what = SERVICES[service]
    assert {"mem_limit", "cpus", "logging"} <= set(what)
    assert ("healthcheck" in what) == (service not in ONE_SHOTS and "profiles" not in what)


@pytest.mark.parametrize("service", OURS)
def test_our_containers_can_do_little(service: str) -> None:
    """Nothing to write on, no capabilities, no way to gain any, and no root."""
    what = SERVICES[service]
    assert what["read_only"] is True
    assert what["cap_drop"] == ["ALL"]
    assert what["security_opt"] == ["no-new-privileges:true"]
    users = re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert users
    assert users[-1].split(":")[0] not in ("root", "0")


def test_the_worker_waits_for_its_tables_and_topics() -> None:
    """A worker without them would leave at once."""
    conditions = {name: what["condition"] for name, what in SERVICES["worker"]["depends_on"].items()}
    assert conditions == dict.fromkeys(("migrate", "topics"), "service_completed_successfully")
    assert SERVICES["worker"]["restart"] == "always"


def test_the_worker_is_given_the_time_to_stop() -> None:
    """More than its own deadline, or the engine would kill it before its last commit."""
    grace = SERVICES["worker"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > TransportSettings().stop_deadline_s


def test_grafana_is_led_to_what_is_there() -> None:
    """A data source for each reading, with service, user and password; the dashboards are where they are looked for."""
    plugin = environment("grafana")["GF_PLUGINS_PREINSTALL_SYNC"].split("@")[0]
    made = [source for source in provisioned("datasources/*.yaml", "datasources") if source["type"] == plugin]
    database = environment("worker")["ENT_DATABASE__DATABASE"]
    assert [source["jsonData"]["defaultDatabase"] for source in made] == [database, f"{database}_public"]
    for source in made:
        assert source["jsonData"]["host"] in SERVICES
        assert USERS.find(f"users/{source['jsonData']['username']}") is not None
        assert source["secureJsonData"]["password"].removeprefix("$") in environment("grafana")
    mounted = {volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]}
    assert {provider["options"]["path"] for provider in provisioned("dashboards/*.yaml", "providers")} <= mounted
    assert [path for volume in SERVICES["grafana"]["volumes"] for path in (ROOT / volume.split(":")[0]).glob("*.json")]


def provisioned(pattern: str, what: str) -> list[dict[str, Any]]:
    """The entries of Grafana's provisioning files."""
    files = (ROOT / "grafana/provisioning").glob(pattern)
    return [entry for file in files for entry in yaml.safe_load(file.read_text())[what]]


def test_prometheus_scrapes_workers_and_doors() -> None:
    """Where the worker listens; the health check asks there too. Alerts go to the Alertmanager that is scraped."""
    port = environment("worker")["ENT_METRICS_PORT"]
    given = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    scraped = {job["job_name"]: job["static_configs"] for job in given["scrape_configs"]}
    assert scraped == {
        "ent-worker": [{"targets": [f"worker:{port}"]}],
        "ent-backfill": [{"targets": [f"backfill:{environment('backfill')['ENT_METRICS_PORT']}"]}],
        "ent-collector": [{"targets": [f"collector:{environment('collector')['ENT_METRICS_PORT']}"]}],
        "ent-bridge": [{"targets": [f"bridge:{environment('bridge')['ENT_METRICS_PORT']}"]}],
        "alertmanager": [{"targets": ["alertmanager:9093"]}],
    }
    assert given["alerting"]["alertmanagers"] == [{"static_configs": scraped["alertmanager"]}]
    assert "alertmanager" in SERVICES
    assert f"127.0.0.1:{port}/readyz" in SERVICES["worker"]["healthcheck"]["test"][-1]


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_alert_rules_name_metrics_that_exist(rule: dict[str, Any]) -> None:
    """A rule on a metric that nobody exports never fires; and each rule says what to do."""
    series = {"up", "alertmanager_notifications_failed_total"} | set(RECORDED)
    for metric in (one for registry in (REGISTRY, COLLECTOR, BRIDGE) for one in registry.collect()):
        series |= {f"{metric.name}{suffix}" for suffix in _SUFFIXES.get(metric.type, ("",))}
    named = {name for expression in expanded(rule["expr"]) for name in _SERIES.findall(expression)}
    assert named
    assert named <= series
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]


def expanded(expression: str) -> list[str]:
    """An expression, and those of the recorded series that it names."""
    return [expression, *(RECORDED[name] for name in _SERIES.findall(expression) if name in RECORDED)]


_SERIES = re.compile(r"\b(?:job\w*:)?(?:ent|alertmanager)_\w+(?::\w+)?|\bup\b")
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}


def test_what_is_recorded_is_asked_for() -> None:
    """A recorded series that no alert names would cost for nothing."""
    assert set(RECORDED) == {name for rule in RULES for name in _SERIES.findall(rule["expr"]) if name in RECORDED}


def test_alerts_fire_when_they_should() -> None:
    """Each rule on series made for it, and none of them where all is well."""
    need("prometheus")
    cases = Path(__file__).with_name("alerts.yml")
    assert_accepted("promtool", "test", "rules", str(cases))
    assert {rule["alert"] for rule in RULES} == set(re.findall(r"\bEnt[A-Z]\w+", cases.read_text()))


def test_prometheus_and_alertmanager_accept_their_files(drawn: Path) -> None:
    """promtool and amtool read what docker-compose.yml mounts, and the inhibitions name alerts that exist."""
    need("prometheus")
    assert_accepted("promtool", "check", "config", str(ROOT / "deploy/prometheus/prometheus.yml"))
    routes = drawn / "deploy/secrets/alertmanager.yml"
    assert_accepted("amtool", "check-config", str(routes))
    inhibitions = yaml.safe_load(routes.read_text())["inhibit_rules"]
    matchers = [m for rule in inhibitions for m in (*rule["source_matchers"], *rule["target_matchers"])]
    for matcher in matchers:
        pattern = matcher.split("=", 1)[1].lstrip("~").strip('"')
        for one in pattern.split("|"):
            assert any(re.fullmatch(one, rule["alert"]) for rule in RULES), one


def assert_accepted(*command: str) -> None:
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_database_has_no_user_beside_the_two() -> None:
    """`default` is gone, and both passwords come from variables that compose demands."""
    users = USERS.find("users")
    assert users is not None
    assert [(user.tag, user.get("remove")) for user in users] == [
        ("default", "remove"),
        ("ent", None),
        ("grafana", None),
    ]
    for user in users[1:]:
        password = user.find("password")
        assert password is not None
        assert password.text is None
        assert DRAWN.fullmatch(environment("clickhouse")[password.attrib["from_env"]])
        assert user.findtext("access_management") == "0"
    assert environment("worker")["ENT_DATABASE__USER"] == "ent"


def test_the_owner_owns_both_readings_and_nothing_else() -> None:
    """Migrations make the database of the published figures too."""
    database = environment("worker")["ENT_DATABASE__DATABASE"]
    grants = [grant.text for grant in USERS.iterfind("users/ent/grants/query")]
    assert grants == [f"GRANT ALL ON {database}.*", f"GRANT ALL ON {database}_public.*", "GRANT SELECT ON system.*"]


def test_grafana_reads_within_limits() -> None:
    """Its user may SELECT from the two readings and nothing else, under limits that it cannot raise."""
    database = environment("worker")["ENT_DATABASE__DATABASE"]
    grants = [grant.text for grant in USERS.iterfind("users/grafana/grants/query")]
    assert grants == [f"GRANT SELECT ON {database}.*", f"GRANT SELECT ON {database}_public.*"]
    profile = USERS.find(f"profiles/{USERS.findtext('users/grafana/profile')}")
    assert profile is not None
    assert profile.findtext("readonly") == "2"
    limits = {limit.tag for limit in profile} - {"readonly", "constraints"}
    bounded = profile.find("constraints")
    assert bounded is not None
    assert {limit.tag for limit in bounded} == limits
    assert all(limit.find("readonly") is not None or limit.find("max") is not None for limit in bounded)


def test_make_env_keeps_what_is_there(drawn: Path) -> None:
    """A second run draws nothing: a new event id key would store every such event once more."""
    files = [drawn / ".env", *(drawn / "deploy/secrets").iterdir()]
    before = [file.read_bytes() for file in files]
    again = subprocess.run(
        [sys.executable, ROOT / "deploy/make_env.py", drawn], check=True, capture_output=True, text=True
    )
    assert "nothing to do" in again.stdout
    assert [file.read_bytes() for file in files] == before
    assert len(set(before)) == len(before)


def test_make_env_follows_a_new_webhook(tmp_path: Path) -> None:
    """The address of .env stands in Alertmanager's configuration, whatever it holds; another replaces it."""
    for address in ("https://chat.example.org/hooks/a?b=c&d=e", "http://127.0.0.1:9/#x'"):
        (tmp_path / ".env").write_text(f"ALERT_WEBHOOK_URL={address}\n")
        subprocess.run([sys.executable, ROOT / "deploy/make_env.py", tmp_path], check=False, capture_output=True)
        written = yaml.safe_load((tmp_path / "deploy/secrets/alertmanager.yml").read_text())
        assert written["receivers"][0]["webhook_configs"][0]["url"] == address


def test_make_env_keeps_others_out(drawn: Path) -> None:
    """The passwords are the owner's to read; the keys lie in a folder that only the owner enters."""
    assert stat.S_IMODE((drawn / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE((drawn / "deploy/secrets").stat().st_mode) == 0o700


def test_make_env_says_what_an_older_env_lacks(tmp_path: Path) -> None:
    """An .env from before a password was needed is not changed, but named."""
    (tmp_path / ".env").write_text("CLICKHOUSE_OWNER_PASSWORD=already\n")
    done = subprocess.run(
        [sys.executable, ROOT / "deploy/make_env.py", tmp_path], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "CLICKHOUSE_GRAFANA_PASSWORD" in done.stderr


def test_the_example_holds_no_password() -> None:
    """What the script must draw is empty in .env.example."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))
    demanded = {
        found[1] for service in SERVICES for value in environment(service).values() for found in DRAWN.finditer(value)
    }
    assert demanded - NO_PASSWORDS == {name for name, value in given.items() if not value}
    assert set(given) >= NO_PASSWORDS
