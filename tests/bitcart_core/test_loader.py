"""From plugins.toml to plugins: what is named there and installed, in that order; all else stops the boot in a sentence."""

import importlib
import re
import textwrap

import pytest

from bitcart_core import loader
from bitcart_core.errors import ConfigError
from bitcart_core.kernel import Kernel
from bitcart_core.settings import Settings

NOTIFY = """
    from bitcart_core import Plugin, PluginSettings, SecretStr

    class Notify(Plugin):
        class Settings(PluginSettings):
            server: str = "https://example.com"
            token: SecretStr
            port: int = 443
"""
PLAIN = """
    from bitcart_core import Plugin

    class Plain(Plugin):
        lane = "inline"
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution that offers one plugin: `install("plain", PLAIN)`."""
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(name, code, *, distribution=None, attribute=None):
        distribution = distribution or f"acme-{name}"
        module = f"{distribution}_{tmp_path.name}".replace("-", "_")
        (site / f"{module}.py").write_text(textwrap.dedent(code))
        metadata = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        attribute = attribute or name.title()
        (metadata / "entry_points.txt").write_text(f"[bitcart]\n{name} = {module}:{attribute}\n")
        importlib.invalidate_caches()

    return install


@pytest.fixture
def load(tmp_path):
    """Write plugins.toml and find its plugins."""

    def load(content):
        path = tmp_path / "plugins.toml"
        path.write_text(content)
        return loader.find(loader.read_file(path))

    return load


def refusal(load, content):
    """Return the sentence with which a file is refused."""
    with pytest.raises(ConfigError) as refused:
        load(content)
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    assert len(sentence) < 400
    return sentence


def test_a_plugin_that_is_named_and_installed_is_found_with_its_settings(install, load):
    install("notify", NOTIFY)
    [found] = load('[notify]\ntoken = "secret"\nport = 8443')

    assert found.name == "notify"
    assert found.kind.__name__ == "Notify"
    assert found.settings.token.get_secret_value() == "secret"
    assert (found.settings.port, found.settings.server) == (8443, "https://example.com")
    assert (found.lane, found.distribution) == ("isolated", "acme-notify 1.2")


def test_an_installed_plugin_that_is_not_named_is_not_loaded(install, load):
    install("plain", PLAIN)

    assert load("") == []


def test_the_order_of_the_tables_is_the_order_of_the_answers(install, load):
    for name in ("first", "second", "third"):
        install(name, PLAIN.replace("Plain", name.title()))

    assert [found.name for found in load("[third]\n[first]\n[second]")] == ["third", "first", "second"]


@pytest.mark.parametrize(
    ("line", "lane"), [("", "inline"), ('lane = "isolated"', "isolated"), ('lane = "inline"', "inline")]
)
def test_the_operator_has_the_last_word_on_the_lane(install, load, line, lane):
    install("plain", PLAIN)

    assert load(f"[plain]\n{line}")[0].lane == lane


def test_a_file_that_does_not_exist_is_said_with_how_to_name_another(tmp_path):
    with pytest.raises(
        ConfigError, match=r"plugins\.toml does not exist; write it, or name another with BITCART_PLUGINS"
    ):
        loader.read_file(tmp_path / "plugins.toml")


def test_a_folder_in_place_of_the_file_is_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        loader.read_file(tmp_path)


def test_bytes_that_are_no_text_are_said(tmp_path):
    (tmp_path / "plugins.toml").write_bytes(b"[plain]\nname = \xff")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        loader.read_file(tmp_path / "plugins.toml")


BAD_FILES = {
    "[plain": "is not valid TOML: ",
    "[plain]\n[plain]": "is not valid TOML: ",
    'server = "x"\n[plain]': "'server' stands outside any table; every setting belongs to a plugin's [table]",
    "[plain]\nlane = 'fast'": '[plain] lane = \'fast\' is unknown; write lane = "inline" or lane = "isolated"',
    "[plain]\nlane = 3": '[plain] lane = 3 is unknown; write lane = "inline" or lane = "isolated"',
    "[plian]": "[plian] is not installed; install the distribution that offers it, or remove the table; did you mean 'plain'?",
    "[completely-else]": "[completely-else] is not installed; install the distribution that offers it, or remove the table",
    "[plain]\ncolour = 1": "[plain] has no setting 'colour'; it knows no settings",
    "[notify]": "[notify] needs the setting 'token'; add it to the table",
    "[notify]\ntoken = 't'\nprot = 1": "[notify] has no setting 'prot'; did you mean 'port'?",
    "[notify]\ntoken = 't'\nzzz = 1": "[notify] has no setting 'zzz'; it knows server, token, port",
    "[notify]\ntoken = 't'\nport = 'many'": "[notify] port: Input should be a valid integer",
    "[notify]\nprot = 1": "[notify] needs the setting 'token'; add it to the table; plugins.toml: [notify] has no setting 'prot'",
    "[notify]\ntoken = {env = 'NOT_SET_ANYWHERE'}": "[notify] token takes a secret from the environment variable NOT_SET_ANYWHERE, which is not set",
    "[notify]\ntoken = {env = 3}": '[notify] token env = 3 names no secret; write {env = "..."}',
    "[notify]\ntoken = {file = ['a']}": "[notify] token file = ['a'] names no secret; write {file = \"...\"}",
    "[notify]\ntoken = {file = '/nowhere/token'}": "[notify] token takes a secret from /nowhere/token: No such file or directory",
    "[notify]\ntoken = {file = '/'}": "[notify] token takes a secret from /: Is a directory",
}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "sentence"), BAD_FILES.items(), ids=[re.sub(r"\s+", " ", file) for file in BAD_FILES]
)
def test_a_file_that_is_not_right_is_refused_in_one_sentence(install, load, content, sentence):
    install("plain", PLAIN)
    install("notify", NOTIFY)

    assert sentence in refusal(load, content)


BAD_PLUGINS = {
    "one that does not import": ("import nothing_of_that_name", "[bad] does not import (ModuleNotFoundError: No module named"),
    "one that fails on import": ("raise OSError('first line\\nsecond')", "[bad] does not import (OSError: first line second); mend or remove it"),
    "one without its class": ("Other = 1", "[bad] does not import (AttributeError: "),
    "one that is no class": ("Bad = 17", ":Bad, which is not a subclass of bitcart_core.Plugin") ,
    "one that is no plugin": ("class Bad: pass", "which is not a subclass of bitcart_core.Plugin"),
    "one for another API": ("from bitcart_core import Plugin\nclass Bad(Plugin):\n    api = 99",
                            "[bad] was written for plugin API 99, this is 1; install a version of it that fits"),
    "one with a lane of its own": ("from bitcart_core import Plugin\nclass Bad(Plugin):\n    lane = 'fast'",
                                   "[bad] asks for the lane 'fast'; there are inline and isolated"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "sentence"), BAD_PLUGINS.values(), ids=BAD_PLUGINS)
def test_a_plugin_that_is_not_right_is_refused_in_one_sentence(install, load, code, sentence):
    install("bad", code)

    told = refusal(load, "[bad]")
    assert sentence in told
    assert told.startswith("plugins.toml: [bad] ")


def test_a_name_that_two_distributions_offer_is_refused_with_both(install, load):
    install("plain", PLAIN, distribution="acme-plain")
    install("plain", PLAIN, distribution="evil-plain")

    assert (
        refusal(load, "[plain]")
        == "plugins.toml: [plain] is offered by acme-plain and evil-plain; uninstall one of them"
    )


def test_secrets_come_from_the_environment_and_from_files_at_any_depth(install, load, monkeypatch, tmp_path):
    install("deep", """
        from bitcart_core import Plugin, PluginSettings

        class Deep(Plugin):
            class Settings(PluginSettings):
                servers: list[dict[str, str]]
    """)  # fmt: skip
    monkeypatch.setenv("DEEP_PASSWORD", "from the environment")
    (tmp_path / "secret").write_text("from a file\n")
    [found] = load(f'[[deep.servers]]\na = {{env = "DEEP_PASSWORD"}}\nb = {{file = "{tmp_path}/secret"}}\nc = "plain"')

    assert found.settings.servers == [{"a": "from the environment", "b": "from a file", "c": "plain"}]


def test_a_secret_file_that_is_no_text_is_said(install, load, tmp_path):
    install("notify", NOTIFY)
    (tmp_path / "secret").write_bytes(b"\xff\xfe")

    assert "which is not text in UTF-8" in refusal(load, f'[notify]\ntoken = {{file = "{tmp_path}/secret"}}')


def test_no_refusal_shows_a_secret(install, load):
    install("notify", NOTIFY)

    assert "hunter2" not in refusal(load, "[notify]\ntoken = ['hunter2']\nport = 'x'")


def test_a_kernel_loads_the_file_it_is_given(install, tmp_path):
    install("plain", PLAIN)
    (tmp_path / "mine.toml").write_text("[plain]")
    with Kernel(Settings(data_dir=tmp_path, plugins_file=tmp_path / "mine.toml")) as kernel:
        assert list(kernel.registry.plugins) == ["plain"]


def test_without_a_name_the_file_is_the_one_here_or_else_the_one_with_the_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings(data_dir=tmp_path / "data")
    assert settings.find_plugins_file() == tmp_path / "data" / "plugins.toml"

    (tmp_path / "plugins.toml").touch()
    assert settings.find_plugins_file().resolve() == tmp_path / "plugins.toml"
