"""Settings come from the environment, are complete or refused with a sentence, and never show a secret."""

from collections.abc import MutableMapping
from pathlib import Path

import pytest

from portal.core.doctor import Level, environment_findings, setting_lines
from portal.core.i18n import Language
from portal.core.settings import Settings, SettingsError, read_settings, variable

URLS = {
    "PORTAL_DATABASE_URL": "postgres://portal_owner:owner-pw@db/portal",
    "PORTAL_DATABASE_FACTORY_URL": "postgresql://portal_factory:factory-pw@db/portal",
    "PORTAL_DATABASE_PARTNER_URL": "postgresql://portal_partner:partner-pw@db/portal",
    "PORTAL_DATABASE_IDENTITY_URL": "postgresql+asyncpg://portal_identity:identity-pw@db/portal",
}


def test_nothing_has_to_be_set(chosen_environment: MutableMapping[str, str]) -> None:
    settings = read_settings()

    assert settings.data == Path.cwd() / ".portal"
    assert settings.database_url is None
    assert settings.base_url == "http://127.0.0.1:8000"
    assert not settings.tls


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_address_follows_the_port(chosen_environment: MutableMapping[str, str]) -> None:
    chosen_environment["PORTAL_PORT"] = "8123"

    assert read_settings().base_url == "http://127.0.0.1:8123"


def test_urls_get_the_driver_and_the_listener_its_own(chosen_environment: MutableMapping[str, str]) -> None:
    chosen_environment.update(URLS)

    settings = read_settings()

    assert settings.database_url == "postgresql+asyncpg://portal_owner:owner-pw@db/portal"
    assert settings.database_direct_url == settings.database_factory_url


@pytest.mark.parametrize("missing", [name for name in URLS if name != "PORTAL_DATABASE_URL"])
def test_a_missing_role_is_named(missing: str, chosen_environment: MutableMapping[str, str]) -> None:
    chosen_environment.update({name: url for name, url in URLS.items() if name != missing})

    with pytest.raises(SettingsError, match=f"PORTAL_DATABASE_URL is set, so {missing} must be set too"):
        read_settings()


def test_a_missing_owner_is_named(chosen_environment: MutableMapping[str, str]) -> None:
    chosen_environment.update({name: url for name, url in URLS.items() if name != "PORTAL_DATABASE_URL"})

    with pytest.raises(SettingsError, match="PORTAL_DATABASE_URL is missing"):
        read_settings()


def test_serving_as_the_owner_is_refused(chosen_environment: MutableMapping[str, str]) -> None:
    chosen_environment.update(URLS | {"PORTAL_DATABASE_PARTNER_URL": URLS["PORTAL_DATABASE_URL"]})

    with pytest.raises(SettingsError, match="PORTAL_DATABASE_PARTNER_URL must sign in as portal_partner"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORTAL_PORT", "eighty", "PORTAL_PORT: Input should be a valid integer"),
        ("PORTAL_BASE_URL", "portal.example", "PORTAL_BASE_URL: must begin with http:// or https://"),
        ("PORTAL_REDIS_URL", "localhost:6379", "PORTAL_REDIS_URL: must begin with redis://"),
        ("PORTAL_DATABASE_URL", "mysql://portal_owner@db/portal", "PORTAL_DATABASE_URL: must look like postgresql://"),
        ("PORTAL_SECRET_KEY", "too-short-secret", "PORTAL_SECRET_KEY: String should have at least 32 characters"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_never_repeated(
    name: str, value: str, said: str, chosen_environment: MutableMapping[str, str]
) -> None:
    chosen_environment[name] = value

    with pytest.raises(SettingsError) as refused:
        read_settings()

    assert said in str(refused.value)
    assert value not in str(refused.value)


def test_a_secret_may_come_from_a_file(tmp_path: Path, chosen_environment: MutableMapping[str, str]) -> None:
    (tmp_path / "key").write_text("k" * 40 + "\n", encoding="utf-8")
    chosen_environment["PORTAL_SECRET_KEY_FILE"] = str(tmp_path / "key")

    assert read_settings().secret_key == "k" * 40


def test_a_secret_given_twice_or_in_a_lost_file_is_refused(
    tmp_path: Path, chosen_environment: MutableMapping[str, str]
) -> None:
    chosen_environment["PORTAL_SECRET_KEY_FILE"] = str(tmp_path / "key")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings()

    chosen_environment["PORTAL_SECRET_KEY"] = "k" * 40
    with pytest.raises(SettingsError, match="both set"):
        read_settings()


def test_secrets_are_neither_printed_nor_logged(chosen_environment: MutableMapping[str, str]) -> None:
    chosen_environment.update(URLS | {"PORTAL_SECRET_KEY": "s" * 40})

    settings = read_settings()
    shown = repr(settings) + "".join(f"{line.value}\n" for line in setting_lines(settings))

    assert "-pw" not in shown
    assert "sss" not in shown
    assert "postgresql+asyncpg://portal_owner:***@db/portal" in shown


def test_the_doctor_knows_where_a_value_comes_from(
    tmp_path: Path, chosen_environment: MutableMapping[str, str]
) -> None:
    (tmp_path / "redis").write_text("redis://queue:6379", encoding="utf-8")
    chosen_environment.update(
        {
            "PORTAL_REDIS_URL_FILE": str(tmp_path / "redis"),
            "PORTAL_DEFAULT_LANGUAGE": "zh-CN",
            "PORTAL_DATABSE_URL": "x",
        }
    )

    settings = read_settings()
    sources = {line.variable: line.source for line in setting_lines(settings)}

    assert settings.default_language is Language.ZH
    assert sources["PORTAL_REDIS_URL"] == f"file {tmp_path / 'redis'}"
    assert sources["PORTAL_DEFAULT_LANGUAGE"] == "environment"
    assert sources["PORTAL_DATABASE_URL"] == "embedded"
    assert sources[variable("port")] == "default"
    assert [finding.level for finding in environment_findings(settings)] == [Level.WARNING]
