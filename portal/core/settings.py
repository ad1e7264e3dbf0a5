"""All settings of the portal: environment variables with the prefix PORTAL_, read once at start.

Nothing has to be set. Without a database the portal runs its own under `PORTAL_DATA` (see `core.provision`).
Every secret may instead come from a file named in `<NAME>_FILE`, as container platforms hand secrets out.
"""

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from portal.core.i18n import Language

PREFIX = "PORTAL_"
DRIVER = "postgresql+asyncpg"


class StartError(Exception):
    """The portal cannot start as things are. The text is for the operator: what is wrong and how to mend it."""


class SettingsError(StartError):
    """The environment cannot be used as it is; the text says which variable and what to do."""


class TelegramMode(StrEnum):
    WEBHOOK = "webhook"  # Telegram calls us
    POLLING = "polling"  # we ask Telegram; needs no public address


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


def _secret(description: str, **more: Any) -> Any:
    """A value never printed: masked by `portal doctor`, absent from `repr`, readable from `<NAME>_FILE`."""
    return Field(repr=False, description=description, **more)


def _base_url(data: Mapping[str, Any]) -> str:
    return f"http://127.0.0.1:{data.get('port', 8000)}"


def _workers() -> int:
    # Elsewhere than on Linux no kernel spreads connections among processes.
    return min(2, len(os.sched_getaffinity(0))) if sys.platform == "linux" else 1


def _direct_url(data: Mapping[str, Any]) -> str | None:
    return data.get("database_factory_url")


class Settings(BaseSettings):
    """Where the services are, how the web server listens, and the few rules an operator may choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    data: Path = Field(Path(".portal"), description="Folder for the embedded services, uploads and generated keys")
    files_url: str = Field(
        "", description="Where uploaded files lie: s3://bucket/prefix or file:///folder; empty is PORTAL_DATA/files"
    )
    database_url: str | None = _secret(
        "PostgreSQL as the owner, who migrates; empty runs an embedded server under PORTAL_DATA", default=None
    )
    database_factory_url: str | None = _secret("The same database as role portal_factory", default=None)
    database_partner_url: str | None = _secret("The same database as role portal_partner", default=None)
    database_identity_url: str | None = _secret("The same database as role portal_identity", default=None)
    database_direct_url: str | None = _secret(
        "Connection for LISTEN that does not pass a pooler; by default PORTAL_DATABASE_FACTORY_URL",
        default_factory=_direct_url,
    )
    pool_size: int = Field(8, ge=1, le=100, description="Database connections per role and process")
    redis_url: str | None = _secret("Valkey or Redis; empty runs an embedded Valkey under PORTAL_DATA", default=None)
    host: str = Field("127.0.0.1", description="Address the web server listens on")
    port: int = Field(8000, ge=1, le=65535, description="Port the web server listens on")
    workers: int = Field(
        default_factory=_workers, ge=1, le=64, description="Web server processes; two where there are two processors"
    )
    base_url: str = Field(
        default_factory=_base_url,
        description="Address people type; https turns on secure cookies. By default http://127.0.0.1 and the port",
    )
    trusted_proxies: str = Field(
        "", description="Addresses or networks, with commas, whose X-Forwarded-For is believed; empty believes nobody"
    )
    secret_key: str | None = _secret(
        "At least 32 characters that sign forms and links; empty makes one and keeps it under PORTAL_DATA",
        default=None,
        min_length=32,
    )
    smtp_url: str | None = _secret(
        "Mail server as smtp://user:password@host:587 (STARTTLS where offered) or smtps://host:465; empty: no mail",
        default=None,
    )
    mail_from: str = Field(
        "", description="Sender of the portal's mail, such as Calloff <portal@example.com>; needed with PORTAL_SMTP_URL"
    )
    telegram_token: str | None = _secret(
        "Token of the Telegram bot, from @BotFather; empty: only the portal's own chat", default=None, pattern=r"^\d+:"
    )
    telegram_api: str = Field(
        "https://api.telegram.org", description="Where the Bot API is; the stand-in's address for trying"
    )
    telegram_mode: TelegramMode = Field(
        TelegramMode.POLLING, description="webhook: Telegram calls PORTAL_BASE_URL; polling: the bot asks, for a laptop"
    )
    telegram_secret: str | None = _secret(
        "At least 24 letters, digits, _ or - that Telegram sends with every webhook call; needed in webhook mode",
        default=None,
        pattern=r"^[A-Za-z0-9_-]{24,256}$",
    )
    session_idle_minutes: int = Field(720, ge=5, description="A sign-in ends after this long without a request")
    session_absolute_hours: int = Field(168, ge=1, description="A sign-in ends after this long in any case")
    upload_limit_mb: int = Field(50, ge=1, le=1024, description="Largest file that may be uploaded, in MB")
    default_language: Language = Field(Language.EN, description="Language before a person has chosen: en or zh-CN")
    seal_p12: str = Field(
        "", description="PKCS#12 file with the key that seals documents; empty makes one per workspace at first use"
    )
    seal_p12_password: str = _secret("Password of PORTAL_SEAL_P12", default="")
    tsa_url: str = Field("", description="RFC 3161 timestamp authority that seals carry the time of; empty: none")
    tsa_ca: str = Field("", description="PEM file of the authorities' root certificates, to check such times by")
    log_format: LogFormat = Field(LogFormat.TEXT, description="text for terminals, json for machines")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="debug, info, warning or error")

    @property
    def tls(self) -> bool:
        """People reach the portal over https, so cookies are Secure and carry the __Host- prefix."""
        return self.base_url.startswith("https://")

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("files_url")
    @classmethod
    def _known_store(cls, value: str) -> str:
        parts = _split(value)
        known = parts and ((parts.scheme == "s3" and parts.netloc) or (parts.scheme == "file" and not parts.netloc))
        if value and not known:
            raise ValueError("must look like s3://bucket/prefix or file:///folder")
        return value

    @field_validator("base_url")
    @classmethod
    def _one_host(cls, value: str) -> str:
        parts = _web_address(value)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must be a host alone, such as https://portal.example.com: the portal needs one to itself")
        return value.rstrip("/")

    @field_validator("telegram_api", "tsa_url")
    @classmethod
    def _of_the_web(cls, value: str) -> str:
        if value:
            _web_address(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(f"{each} is neither an address nor a network such as 10.0.0.0/8") from None
        return value

    @field_validator("seal_p12", "tsa_ca")
    @classmethod
    def _a_file(cls, value: str) -> str:
        if value:
            try:
                Path(value).open("rb").close()
            except OSError as error:
                raise ValueError(f"names {value}, which cannot be read: {error.strerror}") from error
        return value

    @field_validator(
        "database_url",
        "database_factory_url",
        "database_partner_url",
        "database_identity_url",
        "database_direct_url",
    )
    @classmethod
    def _named_driver(cls, value: str | None) -> str | None:
        """Operators paste postgres://..., the portal needs its driver in the scheme."""
        if value is None:
            return None
        scheme, found, rest = value.partition("://")
        if not found or scheme not in {"postgres", "postgresql", DRIVER} or _split(value) is None:
            raise ValueError(
                "must look like postgresql://user:password@host:5432/name, with %40 for a @ in the password, "
                "%2F for a / and so on"
            )
        return f"{DRIVER}://{rest}"

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str | None) -> str | None:
        if value is not None and (not (parts := _split(value)) or parts.scheme not in {"redis", "rediss", "unix"}):
            raise ValueError("must look like redis://host:6379/0, rediss://host:6379/0 or unix:///path")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_scheme(cls, value: str | None) -> str | None:
        parts = _split(value or "")
        if value is not None and (not parts or parts.scheme not in {"smtp", "smtps"} or not parts.hostname):
            raise ValueError("must look like smtp://user:password@host:587 or smtps://host:465")
        return value

    @model_validator(mode="after")
    def _webhook_has_a_secret(self) -> Self:
        if self.telegram_token and self.telegram_mode is TelegramMode.WEBHOOK and not self.telegram_secret:
            raise ValueError(f"{variable('telegram_secret')} is missing: without it anybody could speak as Telegram")
        return self

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> Self:
        if self.smtp_url and "@" not in self.mail_from:
            raise ValueError(f"{variable('mail_from')} must be an address, because {variable('smtp_url')} is set")
        return self

    @model_validator(mode="after")
    def _all_roles_or_none(self) -> Self:
        urls = {f"database_{role}_url": getattr(self, f"database_{role}_url") for role in ROLES_WITH_URL}
        missing = [variable(name) for name, url in urls.items() if not url]
        if self.database_url and missing:
            raise ValueError(
                f"{variable('database_url')} is set, so {' and '.join(missing)} must be set too: "
                "the portal serves with three roles that cannot pass row-level security"
            )
        if not self.database_url and len(missing) < len(urls):
            raise ValueError(f"{variable('database_url')} is missing, though another database URL is set")
        for name, url in urls.items():
            role = f"portal_{name.split('_')[1]}"
            if url and urlsplit(url).username != role:
                raise ValueError(f"{variable(name)} must sign in as {role}, the role that the policies name")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, SecretFiles(settings_cls), env_settings


ROLES_WITH_URL = ("factory", "partner", "identity")


class SecretFiles(PydanticBaseSettingsSource):
    """`PORTAL_SECRET_KEY_FILE=/run/secrets/key` and the like, for every secret field."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = variable(field_name)
        path = os.environ.get(f"{name}_FILE")
        if field.repr or not path:
            return None, field_name, False
        if os.environ.get(name):
            raise SettingsError(f"{name} and {name}_FILE are both set; keep one of them.")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}_FILE names {path}, which cannot be read: {error}.") from error

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value}


def _split(value: str) -> SplitResult | None:
    """The parts of an address; None where they cannot be told apart, such as a port that is no number."""
    try:
        parts = urlsplit(value)
        return None if parts.port == 0 else parts
    except ValueError:  # its words would repeat a piece of a password
        return None


def _web_address(value: str) -> SplitResult:
    parts = _split(value)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must begin with http:// or https:// and name a host")
    return parts


def variable(field_name: str) -> str:
    """The environment variable of a field: database_url is PORTAL_DATABASE_URL."""
    return PREFIX + field_name.upper()


def is_secret(field_name: str) -> bool:
    """Whether a field's value must never be shown."""
    return not Settings.model_fields[field_name].repr


def default_text(field_name: str) -> str:
    """What a settings table shows as the default; empty where there is none or it follows from other settings."""
    field = Settings.model_fields[field_name]
    return "" if field.default_factory or field.default in (None, "") else str(field.default)


def markdown_table() -> str:
    """The table of all settings as the README shows it."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        file = " (or `_FILE`)" if is_secret(name) else ""
        default = f"`{default_text(name)}`" if default_text(name) else ""
        rows.append(f"| `{variable(name)}`{file} | {default} | {field.description} |")
    return "\n".join(rows) + "\n"


def read_settings() -> Settings:
    """The settings of this environment. Raises SettingsError with one sentence per variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(map(_sentence, _causes(error)))) from None


_SENTENCES = {
    "int_parsing": "must be a whole number",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "string_too_short": "must have at least {min_length} characters",
    "enum": "must be {expected}",
}


def _causes(error: ValidationError) -> list[Mapping[str, Any]]:
    """What is wrong, less the defaults that could not follow from it."""
    found = error.errors(include_url=False)
    return [problem for problem in found if problem["type"] != "default_factory_not_called"]


def _sentence(problem: Mapping[str, Any]) -> str:
    text = str(problem["msg"]).removeprefix("Value error, ")
    if words := _SENTENCES.get(problem["type"]):
        text = words.format(**problem["ctx"]) if "{" in words else words
    if problem["type"] == "string_pattern_mismatch":
        text = f"is not written as it must be: {Settings.model_fields[str(problem['loc'][0])].description}"
    where = "".join(variable(str(part)) + ": " for part in problem["loc"])
    return f"{where}{text}."


@cache
def get_settings() -> Settings:
    """The settings of this process, read at the first call. `core.provision` completes them at start."""
    return read_settings()
