"""Merchants' texts: Jinja2 in a sandbox, plain values in, bounded text out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from sqlmodel import Session

from bitcart_core.errors import DeliveryError
from bitcart_core.models import Store

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

MAX_SOURCE = 64 * 1024
MAX_OUTPUT = 256 * 1024

_OPERATORS_THAT_GROW = frozenset({"*", "**", "%"})
_MAX_NUMBER = 10**40
_MAX_POWER = 64


class _BoundedEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox that also refuses to multiply text, raise to huge powers or format with huge widths."""

    intercepted_binops = _OPERATORS_THAT_GROW

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse operands with which one operator could make a text of any size."""
        is_text = isinstance(left, str | bytes | list | tuple) or isinstance(right, str | bytes | list | tuple)
        if is_text or (operator == "**" and abs(right) > _MAX_POWER) or abs(left) > _MAX_NUMBER:
            raise jinja2.exceptions.SecurityError(f"{operator} is not allowed on these values")
        return super().call_binop(context, operator, left, right)


def environment(*, autoescape: bool = False) -> ImmutableSandboxedEnvironment:
    """Return the sandbox: no attribute with an underscore, no changing of values, no files."""
    return _BoundedEnvironment(
        autoescape=autoescape, undefined=jinja2.ChainableUndefined, trim_blocks=True, lstrip_blocks=True
    )


def render(source: str, variables: Mapping[str, Any], *, name: str = "template") -> str:
    """Render a text.

    Args:
        source: Jinja2 source, at most 64 KiB.
        variables: Plain values: text, numbers, lists and dicts of them.
        name: For errors.

    Raises:
        DeliveryError: The text is broken, forbidden or too long; says where.
    """
    if len(source) > MAX_SOURCE:
        raise DeliveryError(f"template {name} is longer than {MAX_SOURCE // 1024} KiB; shorten it")
    try:
        pieces: list[str] = []
        size = 0
        for piece in environment().from_string(source).generate(**variables):
            size += len(piece)
            if size > MAX_OUTPUT:
                raise DeliveryError(f"template {name} writes more than {MAX_OUTPUT // 1024} KiB; shorten it")
            pieces.append(piece)
    except jinja2.TemplateSyntaxError as error:
        raise DeliveryError(f"template {name}, line {error.lineno}: {error.message}") from None
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError, LookupError) as error:
        raise DeliveryError(f"template {name} cannot be rendered: {error}") from None
    return "".join(pieces)


def render_named(kernel: "Kernel", name: str, variables: Mapping[str, Any], *, store_id: str | None = None) -> str:
    """Render a template by name: the store's own text if it has one, else the built-in one.

    Raises:
        DeliveryError: No such template, or it cannot be rendered.
    """
    built_in = kernel.registry.templates.get(name)
    if built_in is None:
        raise DeliveryError(f"there is no template {name!r}; the plugin that brings it is not loaded")
    own = _own_text(kernel, name, store_id) if store_id else None
    return render(own or built_in.text, variables, name=name)


def _own_text(kernel: "Kernel", name: str, store_id: str) -> str | None:
    with Session(kernel.engine) as session:
        store = session.get(Store, store_id)
        return store.templates.get(name) if store else None
