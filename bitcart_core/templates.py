"""Texts in Jinja2: built-in ones as they are, a merchant's own with bounded time, memory and length."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2 import nodes
from sqlmodel import Session

from bitcart_core import rendering
from bitcart_core.errors import DeliveryError
from bitcart_core.models import Store
from bitcart_core.rendering import NotRendered

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

MAX_SOURCE = 64 * 1024
_SECONDS = 10

_PROGRAM = str(Path(rendering.__file__))
_LIBRARIES = str(Path(jinja2.__file__).parent.parent)

_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.If,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
"""What can name values and choose between them, and neither repeats, nor calls, nor makes anything larger."""


def render(source: str, variables: Mapping[str, Any], *, name: str = "template") -> str:
    """Render a text that nobody has to trust.

    A text that only names values and chooses between them is rendered here; any other by a process of its own, which
    takes about a tenth of a second.

    Args:
        source: Jinja2 source, at most 64 KiB.
        variables: Plain values: text, numbers, times, lists and dicts of them.
        name: For errors.

    Raises:
        DeliveryError: The text is broken, forbidden, too long or too slow; says where.
    """
    if len(source) > MAX_SOURCE:
        raise DeliveryError(f"template {name} is longer than {MAX_SOURCE // 1024} KiB; shorten it")
    return _render_here(source, variables, name) if _is_plain(source) else _render_apart(source, variables, name)


def render_named(kernel: "Kernel", name: str, variables: Mapping[str, Any], *, store_id: str | None = None) -> str:
    """Render a template by name: the store's own text if it has one, else the built-in one.

    Raises:
        DeliveryError: No such template, or it cannot be rendered.
    """
    built_in = kernel.registry.templates.get(name)
    if built_in is None:
        raise DeliveryError(f"there is no template {name!r}; the plugin that brings it is not loaded")
    own = _own_text(kernel, name, store_id) if store_id else None
    return render(own, variables, name=name) if own else _render_here(built_in.text, variables, name)


def _own_text(kernel: "Kernel", name: str, store_id: str) -> str | None:
    with Session(kernel.engine) as session:
        store = session.get(Store, store_id)
        return store.templates.get(name) if store else None


def _is_plain(source: str) -> bool:
    try:
        return all(isinstance(node, _PLAIN) for node in rendering.environment().parse(source).find_all(nodes.Node))
    except (jinja2.TemplateSyntaxError, RecursionError):
        return False


def _render_here(source: str, variables: Mapping[str, Any], name: str) -> str:
    try:
        return rendering.render(source, variables, name)
    except NotRendered as error:
        raise DeliveryError(str(error)) from None


def _render_apart(source: str, variables: Mapping[str, Any], name: str) -> str:
    """Render in a process that has no secrets of ours, and which the operating system ends when it takes too much."""
    try:
        request = pickle.dumps((source, _plain(variables), name))
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LAUNCH, _LIBRARIES, _PROGRAM],
            input=request, capture_output=True, check=True, timeout=_SECONDS, env=_environment(),
        )  # fmt: skip
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        raise DeliveryError(f"template {name} takes too much time or memory; shorten it") from None
    if "error" in answer:
        raise DeliveryError(answer["error"])
    return str(answer["text"])


def _plain(value: Any) -> Any:
    """Return a value as a process knows it that has none of our modules; what is not plain becomes its text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if type(value) in _KNOWN_EVERYWHERE else str(value)


_KNOWN_EVERYWHERE = (str, int, float, bool, type(None), Decimal, datetime, date)
_LAUNCH = "import runpy, sys; sys.path.append(sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')"


def _environment() -> dict[str, str]:
    """Return what Python needs to start, and nothing of ours: the environment holds passwords."""
    kept = ("LD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")
    return {name: os.environ[name] for name in kept if name in os.environ}
