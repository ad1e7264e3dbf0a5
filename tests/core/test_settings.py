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
        ("PORTAL_PORT", "eighty", "PORTAL_PORT: must be a whole number."),
        ("PORTAL_BASE_URL", "portal.example", "PORTAL_BASE_URL: must begin with http:// or https://"),
        ("PORTAL_REDIS_URL", "localhost:6379", "PORTAL_REDIS_URL: must look like redis://"),
        ("PORTAL_REDIS_URL", "redis://queue:port/0", "PORTAL_REDIS_URL: must look like redis://"),
        ("PORTAL_DATABASE_URL", "mysql://portal_owner@db/portal", "PORTAL_DATABASE_URL: must look like postgresql://"),
        ("PORTAL_DATABASE_URL", "postgresql://portal_owner:a/b@db/portal", "%2F for a /"),
        ("PORTAL_SECRET_KEY", "too-short-secret", "PORTAL_SECRET_KEY: must have at least 32 characters."),
        ("PORTAL_POOL_SIZE", "1000", "PORTAL_POOL_SIZE: must be 100 or less."),
        ("PORTAL_LOG_LEVEL", "verbose", "debug, info, warning or error."),
        ("PORTAL_LOG_FORMAT", "xml", "PORTAL_LOG_FORMAT: must be 'text' or 'json'."),
        ("PORTAL_BASE_URL", "https://portal.example/calloff", "the portal needs one to itself."),
        ("PORTAL_SMTP_URL", "smtp://mail.example:99999", "PORTAL_SMTP_URL: must look like smtp://"),
        ("PORTAL_FILES_URL", "s3:/bucket", "PORTAL_FILES_URL: must look like s3://bucket/prefix or file:///folder."),
        ("PORTAL_TELEGRAM_API", "api.telegram.example", "PORTAL_TELEGRAM_API: must begin with http:// or https://"),
        ("PORTAL_TSA_URL", "timestamps.example", "PORTAL_TSA_URL: must begin with http:// or https://"),
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


@pytest.mark.parametrize("value", ["10.0.0.1, proxy", "10.0.0.1/8", "*"])
def test_a_proxy_that_nothing_would_match_is_refused(value: str, chosen_environment: MutableMapping[str, str]) -> None:
    chosen_environment["PORTAL_TRUSTED_PROXIES"] = "10.0.0.1, 10.1.0.0/16, ::1"
    assert read_settings().trusted_proxies

    chosen_environment["PORTAL_TRUSTED_PROXIES"] = value
    with pytest.raises(SettingsError, match="is neither an address nor a network"):
        read_settings()


@pytest.mark.parametrize("name", ["PORTAL_SEAL_P12", "PORTAL_TSA_CA"])
def test_a_file_that_is_not_there_is_said_at_the_start(
    name: str, tmp_path: Path, chosen_environment: MutableMapping[str, str]
) -> None:
    chosen_environment[name] = str(tmp_path / "lost.pem")

    with pytest.raises(SettingsError, match=f"{name}: names .*lost.pem, which cannot be read: No such file"):
        read_settings()


def test_one_wrong_value_is_one_sentence(chosen_environment: MutableMapping[str, str]) -> None:
    chosen_environment["PORTAL_PORT"] = "eighty"

    with pytest.raises(SettingsError) as refused:
        read_settings()

    assert str(refused.value) == "PORTAL_PORT: must be a whole number."


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
