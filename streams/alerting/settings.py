"""What alerting can be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Seconds = Annotated[float, Field(gt=0)]


class AlertSettings(BaseModel):
    """How schools are watched, and who is told where there is no Grafana."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="Watch the schools; one worker of a group does.")
    grace_s: Seconds = Field(60.0, description="How long after its end five minutes are judged.")
    stalled_s: Seconds = Field(900.0, description="So far behind, the pipeline counts as interrupted.")
    history_days: int = Field(150, ge=7, description="Days of history that are learned from at a start.")
    warmup_days: int = Field(20, ge=1, description="School days of its own before a school is judged.")
    least_persons: int = Field(5, ge=1, description="Counts of fewer persons are left out of messages.")
    grafana_tells: bool = Field(default=False, description="Grafana tells of alerts; the service of its digest alone.")
    dashboard_url: str = Field("", description="Where messages link to, {uai} standing for the school.")
    webhook_url: SecretStr | None = Field(None, description="Address that is sent every alert as JSON.")
    mail_to: str = Field("", description="Who is written to, separated by commas; empty: nobody.")
    mail_from: str = Field("ent-telemetry@localhost", description="Sender of the e-mails.")
    smtp_host: str = Field("localhost", description="Server that takes the e-mails.")
    smtp_port: int = Field(25, ge=1, le=65535, description="Its port.")
    smtp_tls: bool = Field(default=False, description="STARTTLS before anything is said.")
    smtp_user: str = Field("", description="Its user; empty: none.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Its password.")
    send_timeout_s: Seconds = Field(10.0, description="For one message to one channel.")
    give_up_s: Seconds = Field(86_400.0, description="A message that cannot be sent for so long is given up.")
