"""Loaded plugins: what they bring, who is refused at boot and why, and that none of them silences another."""

import threading
from unittest.mock import Mock

import pytest

from bitcart_core import registry
from bitcart_core.errors import ConfigError
from bitcart_core.hookspecs import HealthProblem, Template, hookimpl
from bitcart_core.kernel import Kernel
from bitcart_core.plugin import Plugin
from bitcart_core.settings import Settings
from bitcart_core.testing.coins import fake_coin
from bitcart_core.testing.plugins import FakeRates, Recording, found, supplying
from bitcart_core.ui import Mount


def load(**plugins) -> registry.Registry:
    return registry.load([found(name, kind) for name, kind in plugins.items()], Mock())


def refusal(**plugins) -> str:
    """Return the sentence with which plugins are refused."""
    with pytest.raises(ConfigError) as refused:
        load(**plugins)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def registering(hook, answer) -> type[Plugin]:
    """Return a plugin that answers one hook with a value, or by raising it."""

    def register(self):
        if isinstance(answer, Exception):
            raise answer
        return answer

    register.__name__ = hook
    return type("Registering", (Plugin,), {hook: hookimpl(register)})


def template(name):
    return Template(name=name, text="", purpose="", variables={})


def with_name(item, name):
    item.name = name
    return item


TWINS = {
    "register_coins": (fake_coin("btc"), "coin 'btc'"),
    "register_rate_sources": (FakeRates({}), "rate source 'fake'"),
    "register_notifiers": (with_name(Mock(), "pager"), "notifier 'pager'"),
    "register_templates": (template("receipt"), "template 'receipt'"),
    "register_routers": (Mount(prefix="/i", app=Mock()), "path '/i'"),
    "register_devchains": (Mock(coin="btc"), "development chain 'btc'"),
}


@pytest.mark.parametrize(("hook", "item", "what"), [(hook, *twin) for hook, twin in TWINS.items()], ids=TWINS)
def test_two_plugins_with_one_thing_of_a_name_stop_the_boot(hook, item, what):
    sentence = refusal(first=registering(hook, [item]), second=registering(hook, [item]))

    assert (
        sentence == f"plugin second: {what} is taken by another plugin already; remove one of the two from plugins.toml"
    )


@pytest.mark.parametrize(("hook", "item", "what"), [(hook, *twin) for hook, twin in TWINS.items()], ids=TWINS)
def test_one_plugin_with_one_thing_twice_stops_the_boot_too(hook, item, what):
    assert what in refusal(first=registering(hook, [item, item]))


def test_the_kernels_own_template_cannot_be_taken():
    assert "template 'notification'" in refusal(mine=registering("register_templates", [template("notification")]))


def test_two_coins_may_share_a_library():
    library = with_name(Mock(), "libsecp256k1")
    loaded = load(one=registering("register_requisites", [library]), two=registering("register_requisites", [library]))

    assert list(loaded.requisites) == ["libsecp256k1"]


@pytest.mark.parametrize("hook", [*TWINS, "register_requisites"])
def test_a_plugin_that_fails_to_register_stops_the_boot_and_is_named(hook):
    sentence = refusal(mine=registering(hook, RuntimeError("first line\nsecond")))

    assert sentence == f"plugin mine failed in {hook} (RuntimeError: first line second); mend or remove it"


@pytest.mark.parametrize("hook", [*TWINS, "register_requisites"])
@pytest.mark.parametrize("answer", [17, ["btc"], [None]], ids=str)
def test_a_plugin_that_registers_nonsense_stops_the_boot_and_is_named(hook, answer):
    assert refusal(mine=registering(hook, answer)).startswith(f"plugin mine failed in {hook} (")


@pytest.mark.parametrize("hook", [*TWINS, "register_requisites"])
@pytest.mark.parametrize("answer", [None, [], (), iter(())], ids=["nothing", "a list", "a tuple", "a generator"])
def test_a_plugin_may_register_nothing(hook, answer):
    assert load(mine=registering(hook, answer)).plugins["mine"].hooks == {hook}


def test_a_plugin_says_itself_what_the_operator_must_mend():
    assert refusal(mine=registering("register_coins", ConfigError("set BTC_HOST"))) == "set BTC_HOST"


def test_a_hook_that_does_not_exist_stops_the_boot_and_is_named():
    sentence = refusal(mine=registering("invoice_payed", []))

    assert sentence.startswith("plugin mine: ")
    assert "invoice_payed" in sentence
    assert sentence.endswith("; the hooks are listed in bitcart_core/hookspecs.py")


def test_an_argument_that_does_not_exist_stops_the_boot_and_is_named():
    class Wrong(Plugin):
        @hookimpl
        def invoice_paid(self, invoice):
            pass

    sentence = refusal(mine=Wrong)
    assert sentence.startswith("plugin mine: ")
    assert "invoice" in sentence


def test_a_hook_may_accept_fewer_arguments_than_there_are():
    class Brief(Plugin):
        @hookimpl
        def invoice_paid(self, event):
            return event

    assert load(mine=Brief).call("mine", "invoice_paid", event=17, store=None, target=None) == 17


@pytest.mark.parametrize("error", [RuntimeError("no"), ConfigError("set MINE_TOKEN")])
def test_a_plugin_that_does_not_start_stops_the_boot(error):
    class Broken(Plugin):
        def __init__(self, settings, context):
            raise error

    told = {RuntimeError: "plugin mine failed to start (RuntimeError: no); mend or remove it"}
    assert refusal(mine=Broken) == told.get(type(error), "set MINE_TOKEN")


def test_everything_registered_is_there_by_name_and_in_order():
    loaded = load(
        one=supplying(coins=[fake_coin("btc")], templates=[template("receipt")]),
        two=supplying(coins=[fake_coin("ltc")], rates=[FakeRates({})]),
    )

    assert list(loaded.coins) == ["btc", "ltc"]
    assert loaded.coin_plugins == {"btc": "one", "ltc": "two"}
    assert [source.name for source in loaded.rate_sources] == ["fake"]
    assert set(loaded.templates) == {"notification", "receipt"}


def health(*messages) -> type[Plugin]:
    return registering("check_health", [HealthProblem(subject="disk", message=message) for message in messages])


def test_all_are_asked_in_order_and_one_that_raises_is_left_out_and_named(caplog):
    loaded = load(
        first=health("full"), broken=registering("check_health", RuntimeError("no")), plain=Plugin, last=health("slow")
    )
    answers = [(name, answer[0].message) for name, answer in loaded.ask_all("check_health")]

    assert answers == [("first", "full"), ("last", "slow")]
    assert "plugin broken failed to answer check_health" in caplog.text


def test_a_plugin_is_asked_by_itself():
    loaded = load(first=health("full"), second=health("slow"))

    assert loaded.call("second", "check_health")[0].message == "slow"
    assert loaded.call("first", "register_coins") is None
    assert loaded.implements("first", "check_health")
    assert not loaded.implements("first", "register_coins")


def test_what_is_loaded_can_be_described():
    [described] = registry.describe(load(mine=health()))

    assert described == {"name": "mine", "distribution": "tests 0", "lane": "isolated", "hooks": ["check_health"]}


def test_two_kernels_live_in_one_process(tmp_path):
    one, two = (
        Kernel(Settings(data_dir=tmp_path), plugins=[found("supplies", supplying(coins=[fake_coin(code)]))])
        for code in ("btc", "ltc")
    )

    assert (list(one.registry.coins), list(two.registry.coins)) == (["btc"], ["ltc"])


def test_a_plugin_is_lent_a_folder_of_its_own_a_logger_and_the_address(tmp_path):
    settings = Settings(data_dir=tmp_path, public_url="https://pay.example/")
    with Kernel(settings, plugins=[found("mine", Plugin)]) as kernel:
        context = kernel.registry.plugins["mine"].plugin.context

    assert not (tmp_path / "plugins").exists()
    assert context.data_dir == tmp_path / "plugins" / "mine"
    assert oct(context.data_dir.stat().st_mode & 0o777) == "0o700"
    assert context.log.name == "bitcart.plugin.mine"
    assert context.public_url == "https://pay.example"


class Hanging(Plugin):
    @hookimpl
    def check_health(self):
        threading.Event().wait(60)
        return []


def test_a_plugin_that_hangs_over_a_question_is_left_behind_and_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(registry, "ASK_SECONDS", 0.1)
    with Kernel(settings, plugins=[found("hanging", Hanging), found("recording", Recording)]) as kernel:
        assert kernel.registry.ask_all("check_health") == []

    assert "plugin hanging failed to answer check_health" in caplog.text


@pytest.mark.parametrize("exit_", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_a_plugin_that_exits_over_a_question_takes_nobody_with_it(exit_, caplog):
    class Exiting(Plugin):
        @hookimpl
        def check_health(self):
            raise exit_

    loaded = load(exiting=Exiting, healthy=health("slow"))

    assert [name for name, _ in loaded.ask_all("check_health")] == ["healthy"]
    assert "plugin exiting failed to answer check_health" in caplog.text
