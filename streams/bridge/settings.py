"""What a bridge can be told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0)]


class BridgeSettings(BaseModel):
    """The section `bridge` of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: str | None = Field(None, pattern=r"^https?://[^?#]+$", description="Root of an entcore platform.")
    platform: str = Field(
        "entcore",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="Label of the platform: it names the position in the database.",
    )
    authorization_file: Path | None = Field(
        None, description="A file that holds the header Authorization, for example Bearer and a token."
    )
    since: AwareDatetime | None = Field(
        None, description="Where to begin when there is no position yet; by default the lateness before now."
    )
    interval_s: Seconds = Field(60.0, description="Pause between readings.")
    overlap_s: Seconds = Field(300.0, description="How far each reading goes back behind the last one.")
    lateness_s: Seconds = Field(86_400.0, description="How late the platform may tell of an event.")
    sweep_interval_s: Seconds = Field(3_600.0, description="Pause between readings of the whole lateness.")
    window_s: Seconds = Field(3_600.0, description="What is asked for at once.")
    request_timeout_s: Seconds = Field(120.0, description="For one answer of the platform.")
    max_answer_bytes: int = Field(256 * 2**20, ge=1024, description="An answer that is larger is not read.")


def first_moment(settings: BridgeSettings, read_through: datetime | None) -> datetime | None:
    """Where reading goes on: the position, or where it shall begin; None: the lateness before now."""
    return read_through or settings.since
