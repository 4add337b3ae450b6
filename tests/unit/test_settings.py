"""Settings: where a value comes from, and what is said of one that cannot be used."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import aiops
from aiops import settings
from aiops.errors import InvalidInput, UnknownName
from aiops.settings import Settings, load


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without aiops.toml, and no AIOPS_* in the environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"AIOPS_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def file(text: str) -> None:
    Path("aiops.toml").write_text(text)


def refusal(**given: object) -> str:
    with pytest.raises(InvalidInput) as refused:
        load(**given)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_with_nothing_set_the_defaults_hold() -> None:
    assert load() == Settings.model_construct()


def test_the_file_beats_the_default() -> None:
    file('method = "baro"\nseed = 3\ndatasets = "recordings"\n')
    found = load()
    assert (found.method, found.seed, found.datasets) == ("baro", 3, Path("recordings"))
    assert found.top == Settings.model_fields["top"].default


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    file("seed = 3\ntop = 7\n")
    monkeypatch.setenv("AIOPS_SEED", "9")
    assert (load().seed, load().top) == (9, 7)


@pytest.mark.parametrize("name", ["my-grafana", "My.Grafana", "My_Grafana"])
def test_a_variable_adds_to_a_table_whose_name_no_variable_can_have(
    bare: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (bare / "aiops.toml").write_text(f'[webhooks."{name}"]\nkind = "grafana"\n')
    monkeypatch.setenv("AIOPS_WEBHOOKS__MY_GRAFANA__SECRET", "s3cret")
    (found,) = load().webhooks.items()
    assert found[0] == name
    assert found[1].secret is not None
    assert found[1].secret.get_secret_value() == "s3cret"


def test_two_tables_with_like_names_stay_two(bare: Path) -> None:
    (bare / "aiops.toml").write_text(
        '[webhooks.a-b]\nkind = "grafana"\n[webhooks.a_b]\nkind = "generic"\n'
    )
    assert {name: one.kind for name, one in load().webhooks.items()} == {
        "a-b": "grafana",
        "a_b": "generic",
    }


def test_an_argument_beats_the_environment_and_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    file("seed = 3\n")
    monkeypatch.setenv("AIOPS_SEED", "9")
    assert load(seed=0).seed == 0


def test_an_option_that_was_not_given_leaves_the_others_in_force() -> None:
    file("seed = 3\n")
    assert load(seed=None, top=2) == load(top=2)
    assert load(seed=None).seed == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", -1), ("seed", "x"), ("top", 0), ("top", 101), ("top", 1.5), ("method", 3)],
)
def test_a_value_that_cannot_be_used_is_named_with_where_to_set_it(key: str, value: object) -> None:
    message = refusal(**{key: value})
    assert f"'{key}'" in message
    assert f"AIOPS_{key.upper()}" in message
    assert "aiops.toml" in message


def test_it_is_named_the_same_way_when_it_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIOPS_TOP", "many")
    message = refusal()
    assert "'top'" in message
    assert "AIOPS_TOP" in message


def test_it_is_named_the_same_way_when_it_comes_from_the_file() -> None:
    file("top = [5]\n")
    assert "'top'" in refusal()


def test_a_key_the_file_misspells_is_refused_and_the_keys_there_are_are_listed() -> None:
    file('metod = "baro"\n')
    with pytest.raises(UnknownName, match=r"unknown setting 'metod'; choose from: .*method"):
        load()


def test_an_unknown_table_in_the_file_is_refused_by_its_name() -> None:
    file('[analysis]\nmethod = "baro"\n')
    assert "'analysis'" in refusal()


@pytest.mark.parametrize("text", ["top = \n", "top 5\n", 'method = "baro\n'])
def test_a_file_that_is_no_toml_is_refused_with_the_place(text: str) -> None:
    file(text)
    assert refusal().startswith("aiops.toml: ")
    assert "line 1" in refusal()


def test_a_file_that_is_no_text_is_refused(bare: Path) -> None:
    (bare / "aiops.toml").write_bytes(b"\xff\xfe\x00")
    assert refusal().startswith("aiops.toml: ")


def test_other_variables_of_the_environment_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIOPS_DEBUG", "1")
    monkeypatch.setenv("SEED", "7")
    assert load() == Settings.model_construct()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("AIOPS_DATABSE_URL", "AIOPS_DATABASE_URL"),
        ("aiops_databse_url", "AIOPS_DATABASE_URL"),
        ("AIOPS_WEBB__BACKLOG_LIMIT", "AIOPS_WEB__BACKLOG_LIMIT"),
        ("AIOPS_XYZZY", None),
    ],
)
def test_a_variable_that_sets_nothing_is_named_with_what_was_meant(
    variable: str, meant: str | None
) -> None:
    with pytest.raises(InvalidInput) as refused:
        settings.must_be_known(["PATH", "AIOPS_SEED", variable])
    said = str(refused.value)
    assert variable in said
    assert "\n" not in said
    assert (f"did you mean {meant}?" if meant else "unset it") in said


def test_variables_of_settings_of_other_commands_and_of_others_are_known() -> None:
    settings.must_be_known(
        [
            "AIOPS_DATASETS",
            "AIOPS_WEBHOOKS__ALERTMANAGER__SECRET",
            "aiops_seed",
            "AIOPS_KUBECTLS",
            "AIOPS_DEBUG",
            "MY_AIOPS_THING",
        ]
    )


@pytest.mark.parametrize(
    "variable",
    [
        "AIOPS_SERVICE_HOST",
        "AIOPS_SERVICE_PORT_HTTP",
        "AIOPS_PORT",
        "AIOPS_PORT_8080_TCP_ADDR",
        "AIOPS_WORKER_PORT_8080_TCP",
    ],
)
def test_what_kubernetes_sets_for_a_service_called_aiops_does_not_stop_it(variable: str) -> None:
    settings.must_be_known([variable])


def test_every_variable_the_code_reads_is_known() -> None:
    root = Path(aiops.__file__).parent
    read = {
        name
        for file in root.rglob("*.py")
        for name in re.findall(r'"(AIOPS_[A-Z_]+)"', file.read_text(encoding="utf-8"))
        if name != settings.PREFIX
    }
    assert {"AIOPS_DEBUG", "AIOPS_REPLAY_TOKEN"} <= read
    settings.must_be_known(read)


def test_a_misspelt_key_is_answered_with_the_one_that_was_meant() -> None:
    file("[web]\nbacklog_limits = 3\n")
    assert "did you mean 'backlog_limit'?" in refusal()


def test_settings_once_loaded_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().seed = 1


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    ("written", "named", "beside"),
    [
        ("[web]\nmax_body = 3\n", "web.max_body", "max_body_bytes"),
        ('[webhooks.web]\nkind = "generic"\nsekret = "a"\n', "webhooks.web.sekret", "secret"),
    ],
    ids=["group", "webhook"],
)
def test_an_unknown_key_of_a_table_is_answered_with_the_keys_of_that_table(
    bare: Path, written: str, named: str, beside: str
) -> None:
    file(written)
    with pytest.raises(UnknownName) as raised:
        load()
    assert named in str(raised.value)
    assert beside in str(raised.value)
    assert "database_url" not in str(raised.value)


def test_a_wrong_value_of_a_table_names_the_variable_that_sets_it(bare: Path) -> None:
    file('[incidents]\nsettle_s = "soon"\n')
    with pytest.raises(InvalidInput, match="AIOPS_INCIDENTS__SETTLE_S"):
        load()


def test_importing_settings_reads_neither_the_file_nor_the_environment(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file("this is no toml")
    monkeypatch.setenv("AIOPS_SEED", "1")
    spy = (
        "import os, sys\n"
        "read = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and read.append(str(args[0])))\n"
        "known = type(os.environ).__getitem__\n"
        "asked = []\n"
        "def get(self, key):\n"
        "    asked.append(key)\n"
        "    return known(self, key)\n"
        "type(os.environ).__getitem__ = get\n"
        "import aiops.settings\n"
        "assert not [path for path in read if path.endswith('aiops.toml')], read\n"
        "assert not [key for key in asked if str(key).upper().startswith('AIOPS')], asked\n"
        "try:\n"
        "    aiops.settings.load()\n"
        "except aiops.settings.InvalidInput:\n"
        "    assert [path for path in read if path.endswith('aiops.toml')]\n"
        "    assert 'AIOPS_SEED' in asked\n"
        "else:\n"
        "    sys.exit('the file was not read at all')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", spy], cwd=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_file_is_the_one_of_the_current_folder(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare / "inner").mkdir()
    file("seed = 3\n")
    monkeypatch.chdir(bare / "inner")
    assert load().seed == 0
    assert not settings.FILE.is_absolute()
