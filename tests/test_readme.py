"""The README says what is so: its settings, dependencies and commands."""

import re
import tomllib
from pathlib import Path

from streams.commands import newsflow
from streams.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_setting_is_in_the_table_with_its_default_and_meaning() -> None:
    for name, field in Settings.model_fields.items():
        if name == "parent":
            continue  # between a worker and whoever started it, not for users
        default = "cores" if field.default_factory else field.default
        shown = "" if default in (None, "") else f"`{default}`"
        row = f"| `NEWSFLOW_{name.upper()}` | {shown} | {field.description} |".replace("|  |", "| |")
        assert row in README, f"the README lacks: {row}"


def test_every_direct_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    direct = [*project["dependencies"], *(d for group in project["optional-dependencies"].values() for d in group)]
    table = README.partition("## Dependencies")[2]
    for dependency in direct:
        name = re.split(r"[=<>\[]", dependency)[0]
        if not name.startswith("types-"):
            assert re.search(rf"\b{re.escape(name)}\b", table), f"the README does not say why {name} is here"


def test_every_command_is_in_the_readme() -> None:
    for name, command in newsflow.commands.items():
        assert command.hidden or f"newsflow {name}" in README, name


def test_no_placeholder_is_left() -> None:
    assert "@@" not in README
