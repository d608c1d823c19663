"""All settings of Newsflow, read from the environment as `NEWSFLOW_…`; nothing else reads the environment.

Sizes are bytes, durations seconds, lengths Unicode code points. Secrets are `SecretStr`: printing the settings or an
error never shows them.
"""

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import SettingsError


class Settings(BaseSettings):
    """One value per setting, with its default; the description is what the README's table shows."""

    model_config = SettingsConfigDict(env_prefix="NEWSFLOW_", frozen=True, extra="ignore")

    app_id: str = Field(
        "newsflow", min_length=1, description="Workers with the same id share the work (consumer group)."
    )
    brokers: str = Field(
        "localhost:9092", min_length=1, description="Kafka bootstrap servers, `host:port`, separated by commas."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to the brokers."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism for the `SASL_…` protocols."
    )
    sasl_username: str | None = Field(None, description="SASL user.")
    sasl_password: SecretStr | None = Field(None, description="SASL password; never logged.")
    ssl_cafile: Path | None = Field(None, description="CA certificates (PEM); the system's when not given.")
    ssl_certfile: Path | None = Field(None, description="Client certificate (PEM) for mutual TLS.")
    ssl_keyfile: Path | None = Field(None, description="Key of the client certificate (PEM).")
    ssl_password: SecretStr | None = Field(None, description="Password of that key; never logged.")

    topic_prefix: str = Field("", description="Put before every topic's name, e.g. `staging.`.")
    partitions: int = Field(6, ge=1, description="Partitions of each topic that `newsflow topics` creates.")
    replication: int = Field(1, ge=1, description="Replicas of each topic that `newsflow topics` creates.")
    retention_days: float = Field(-1, description="How long topics keep records; -1 keeps them for ever.")
    max_message_bytes: int = Field(
        16_777_216, ge=1024, description="`max.message.bytes` of the topics that `newsflow topics` creates."
    )

    max_text_length: int = Field(
        1_000_000, ge=1, description="Longer texts (in code points) become dead letters `too_large`."
    )
    max_json_depth: int = Field(100, ge=1, le=200, description="Deeper raw JSON becomes a dead letter `too_deep`.")
    ukrainian_dictionary: bool = Field(
        False, description="Ask the GPLv3 dictionary (extra `ukrainian-dictionary`) for Ukrainian nominatives, too."
    )
    topic_encoder: bool = Field(
        False, description="Ask an encoder (extra `encoder`) about topics that are not sure: better, and slower."
    )
    article_deadline: float = Field(
        30.0, ge=1, description="An article that is at work in a stage for longer becomes a dead letter `too_slow`."
    )
    breaker_records: int = Field(
        200, ge=10, le=4000, description="How many latest records of a stage the breaker looks at."
    )
    breaker_share: float = Field(
        0.5, gt=0, le=1, description="A stage that dead-letters more than this share of them stops; 1: never."
    )
    max_replays: int = Field(3, ge=0, description="`dead replay` refuses a record that was replayed this often.")

    processes: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        description="Worker processes of `newsflow worker`; the number of cores.",
    )
    batch_size: int = Field(200, ge=1, description="Articles that a stage takes at once, over all its partitions.")
    batch_wait: float = Field(0.03, gt=0, description="How long a batch waits to fill.")
    session_timeout: float = Field(6.0, ge=1, description="A worker that is silent for this long loses its partitions.")
    drain_timeout: float = Field(15.0, gt=0, description="How long a worker may take to stop after SIGTERM.")
    live_timeout: float = Field(
        60.0,
        gt=0,
        description="A batch that takes longer makes a worker not live; a broker may take as long (40 s at least).",
    )
    web_host: str = Field("127.0.0.1", description="Address of the health endpoints.")
    web_port: int = Field(
        6066,
        ge=0,
        le=65535,
        description="Port of the health endpoints, process N takes port + N - 1, a free one where not set; 0: none.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Log level.")

    parent: int | None = Field(
        None, description="Pid of the process that started this worker; the worker ends with it (demo, tests)."
    )
    home: Path = Field(Path(".newsflow"), description="Where the local broker keeps its data and downloaded jars.")

    def topic(self, name: str) -> str:
        """Return the full name of one of the line's topics."""
        return self.topic_prefix + name


@cache
def settings() -> Settings:
    """Return the settings of this process.

    Raises:
        SettingsError: a variable has a value that is not allowed; the message names it but shows no secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"NEWSFLOW_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"Wrong setting: {problems}. The README lists all settings.") from None
