"""docs/sources.md says what is so: its configuration is read, its options and defaults exist."""

import re
import tomllib
from pathlib import Path

import pytest

from aiops import plugins
from aiops.bootstrap.durable import connected
from aiops.ingest import jaeger, loki, options, tempo
from aiops.ingest.prometheus import source
from aiops.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
OWN = (source.Options, loki.Options, tempo.Options, jaeger.Options)
EVERY = set().union(*(kind.model_fields for kind in OWN))


def test_its_configuration_connects():
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    sources = connected(Settings(sources=tomllib.loads(found[1])["sources"]))
    assert [name for name, _ in sources] == ["metrics", "lines", "traces"]


def test_it_names_kinds_that_are_installed_and_every_option():
    named = set(re.findall(r"`(\w+)`", PAGE.partition("## What becomes")[0]))
    kinds = {"prometheus", "mimir", "thanos", "loki", "jaeger", "tempo"}
    assert kinds <= named & set(plugins.names("aiops.ingestors"))
    assert named >= EVERY


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.__module__)
def test_its_numbers_are_the_defaults(kind):
    rows = dict(re.findall(r"^\| (?:`[^|]*` \| |\| )?`(\w+)` \| (\d+)", PAGE, re.MULTILINE))
    for name, number in rows.items():
        if name in kind.model_fields:
            assert kind.model_fields[name].default == int(number), name
    assert set(rows) >= {"timeout_s", "max_series", "max_traces", "max_bytes"}
    assert set(options.HttpOptions.model_fields) <= EVERY
