"""Render one text that nobody has to trust. Run as a program by `templates`, with little memory and little time.

Imports Jinja2 and nothing of ours, so that it starts at once. The sandbox keeps a text from reaching anything but its
values; it bounds neither time nor memory, so the operating system does: whatever a text grows or turns, it ends here.
"""

import json
import pickle
import resource
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_OUTPUT = 256 * 1024
_CPU_SECONDS = 1
_MEMORY_BYTES = 192 * 2**20


class NotRendered(Exception):  # noqa: N818 - what became of the text
    """The text is broken, forbidden or too long; the message says where and why."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """A sandbox that says what it refuses; Jinja2's would write nothing in its place and go on."""

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        """Refuse an attribute that leads out of the values."""
        raise SecurityError(f"{attribute!r} of {type(obj).__name__} is not for texts")


def environment() -> ImmutableSandboxedEnvironment:
    """Return the sandbox: no attribute with an underscore, no changing of values, no files."""
    return _Sandbox(undefined=jinja2.ChainableUndefined, trim_blocks=True, lstrip_blocks=True)


def render(source: str, variables: Mapping[str, Any], name: str) -> str:
    """Render a text of any origin in this process; call it where time and memory are bounded, or the text is known.

    Raises:
        NotRendered: It cannot be rendered.
    """
    try:
        return "".join(_bounded(environment().from_string(source).generate(**variables), name))
    except NotRendered:
        raise
    except jinja2.TemplateSyntaxError as error:
        raise NotRendered(f"template {name}, line {error.lineno}: {error.message}") from None
    except MemoryError:
        raise NotRendered(f"template {name} needs too much memory; shorten it") from None
    except Exception as error:  # noqa: BLE001 - a text can do with its values whatever Python refuses in many ways
        raise NotRendered(f"template {name} cannot be rendered: {str(error)[:500]}") from None


def _bounded(pieces: Iterable[str], name: str) -> Iterator[str]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_OUTPUT:
            raise NotRendered(f"template {name} writes more than {MAX_OUTPUT // 1024} KiB; shorten it")
        yield piece


def main() -> None:
    """Read source, variables and name from standard input; write `text` or `error` as JSON."""
    source, variables, name = pickle.load(sys.stdin.buffer)  # noqa: S301 - `templates` wrote it
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        answer = {"text": render(source, variables, name)}
    except NotRendered as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
