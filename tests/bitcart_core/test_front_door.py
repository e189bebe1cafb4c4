"""The front door: light, whole, and every name behind it described."""

import importlib
import inspect
import json
import subprocess
import sys

import pytest

import bitcart_core

HEAVY = {
    "sqlmodel",
    "sqlalchemy",
    "psycopg",
    "rq",
    "redis",
    "alembic",
    "fastapi",
    "starlette",
    "jinja2",
    "babel",
    "rq_scheduler",
}
LIGHT_MODULES = [
    "coins", "daemons", "deliveries", "devchains", "errors", "events", "hookspecs", "notifiers", "plugin", "rates",
    "requisites", "ui", "hosts", "settings", "processes", "loader",
]  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """Return the names of all top-level modules that are loaded after a statement, in a process of its own."""
    program = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_coming_in_loads_no_database_no_queue_and_no_framework():
    loaded = loaded_by("from bitcart_core import *")

    assert "pluggy" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_what_daemons_and_plugins_are_described_by_is_light(module):
    assert not loaded_by(f"import bitcart_core.{module}") & HEAVY


def test_nothing_that_migrates_is_loaded_by_those_that_only_work():
    assert "alembic" not in loaded_by("import bitcart_core.jobs")


def test_the_names_are_sorted_and_there():
    names = bitcart_core.__all__

    assert names == sorted(names)
    assert len(names) == len(set(names))
    assert all(hasattr(bitcart_core, name) for name in names)


def test_nothing_of_ours_stands_in_the_door_without_being_named():
    ours = {
        name for name, thing in vars(bitcart_core).items() if not name.startswith("_") and not inspect.ismodule(thing)
    }

    assert ours == set(bitcart_core.__all__)


THINGS = {name: getattr(bitcart_core, name) for name in bitcart_core.__all__}
CLASSES = {name: thing for name, thing in THINGS.items() if inspect.isclass(thing)}
FUNCTIONS = {name: thing for name, thing in THINGS.items() if inspect.isfunction(thing)}


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS])
def test_every_name_says_what_it_is(name):
    said = vars(THINGS[name])["__doc__"] if name in CLASSES else THINGS[name].__doc__  # not what a base class says

    assert said
    assert not said.startswith(f"{name}(")  # what a dataclass says that was told nothing


@pytest.mark.parametrize(
    "name", [name for name, kind in CLASSES.items() if kind.__module__.startswith("bitcart_core.")]
)
def test_every_public_method_says_what_it_does(name):
    parts = {
        part: getattr(thing, "fget", thing) for part, thing in vars(CLASSES[name]).items() if not part.startswith("_")
    }

    assert [part for part, thing in parts.items() if inspect.isfunction(thing) and not thing.__doc__] == []


def test_what_is_neither_a_class_nor_a_function_is_a_version_and_a_marker():
    assert set(THINGS) - set(CLASSES) - set(FUNCTIONS) == {"API_VERSION", "hookimpl"}
    assert isinstance(bitcart_core.API_VERSION, int)


def test_every_hook_says_when_it_is_called():
    hookspecs = importlib.import_module("bitcart_core.hookspecs")
    hooks = [thing for thing in vars(hookspecs).values() if hasattr(thing, "bitcart_spec")]

    assert len(hooks) > 15
    assert [hook.__name__ for hook in hooks if not hook.__doc__] == []
