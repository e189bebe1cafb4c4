"""Which scripts run, and which are refused because somebody else could have written them."""

import os

import pytest
from bitcart_hook_scripts import Scripts, ScriptsSettings
from pydantic import ValidationError

from bitcart_core import DeliveryError, Rejected

DONE = "invoice_completed"
HELLO = "#!sh\necho hello\n"


def test_each_script_of_the_event_and_of_any_event_is_a_target_of_its_own(folder):
    for name in (DONE, f"{DONE}.d/20-print", f"{DONE}.d/10-book", "any", "any.d/log", "invoice_expired"):
        folder.add(name, HELLO)
    assert folder.names() == [DONE, f"{DONE}.d/10-book", f"{DONE}.d/20-print", "any", "any.d/log"]
    assert folder.names("invoice_expired") == ["invoice_expired", "any", "any.d/log"]
    assert folder.names("invoice_paid") == ["any", "any.d/log"]


def test_editors_copies_and_folders_are_passed_over(folder):
    folder.add(f"{DONE}.d/print", HELLO)
    folder.add(f"{DONE}.d/print~", HELLO)
    folder.add(f"{DONE}.d/.print.swp", HELLO)
    (folder.path / f"{DONE}.d" / "old").mkdir()
    assert folder.names() == [f"{DONE}.d/print"]


def test_without_a_folder_nothing_ever_runs(folder, store):
    plugin = folder.plugin(folder=None)
    assert plugin.delivery_targets(folder.event(), store) == []
    assert list(plugin.check_health()) == []


def test_a_folder_that_is_missing_is_an_error_and_not_a_silence(folder, store, tmp_path):
    plugin = folder.plugin(folder=tmp_path / "gone")
    with pytest.raises(DeliveryError, match="gone is not there; create it"):
        plugin.delivery_targets(folder.event(), store)
    (problem,) = plugin.check_health()
    assert "gone is not there" in problem.message


def test_a_folder_must_be_named_in_full():
    with pytest.raises(ValidationError, match="is not absolute"):
        ScriptsSettings(folder="scripts")
    with pytest.raises(ValidationError, match="set both or neither"):
        ScriptsSettings(uid=1000)


def test_a_script_with_a_very_long_name_has_a_key_that_fits(folder, store):
    folder.add(f"{DONE}.d/" + "x" * 240, HELLO)
    (target,) = folder.plugin().delivery_targets(folder.event(), store)
    assert len(target.key) <= 200
    assert folder.run().detail["stdout"] == "hello\n"


def refused(folder) -> str:
    with pytest.raises(DeliveryError) as caught:
        folder.run()
    (problem,) = folder.plugin().check_health()
    assert problem.message == str(caught.value)
    return problem.message


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_script_that_others_may_write_is_refused_with_the_remedy(mode, folder):
    path = folder.add(DONE, HELLO, mode=mode)
    assert refused(folder) == f"{path} may be written by others; run: chmod go-w {path}"
    path.chmod(0o755)
    assert folder.run().detail["stdout"] == "hello\n"


@pytest.mark.parametrize("place", ["..", ".", f"{DONE}.d"])
def test_a_folder_on_the_way_that_others_may_write_is_refused(place, folder):
    folder.add(f"{DONE}.d/print", HELLO)
    path = (folder.path / place).resolve()
    path.chmod(0o775)
    assert refused(folder) == f"{path} may be written by others; run: chmod go-w {path}"


def test_a_sticky_folder_is_fine_above_the_scripts_but_not_as_their_folder(folder):
    folder.add(DONE, HELLO)
    folder.path.parent.chmod(0o1777)
    assert folder.run().detail["stdout"] == "hello\n"
    folder.path.chmod(0o1777)
    assert "may be written by others" in refused(folder)


def test_a_script_of_another_user_is_refused(folder, monkeypatch):
    path = folder.add(DONE, HELLO)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    else:  # no other user's file can be made without root, so this process is taken for another
        monkeypatch.setattr(os, "geteuid", lambda: 65534)
    assert "belongs to user" in refused(folder)


def test_a_script_that_is_not_executable_is_refused_with_the_remedy(folder):
    path = folder.add(DONE, HELLO, mode=0o644)
    assert refused(folder) == f"{path} is not executable; run: chmod 755 {path}"


@pytest.mark.parametrize("target", ["/bin/sh", "../elsewhere", "nowhere"])
def test_a_symbolic_link_is_not_followed(target, folder):
    (folder.path / DONE).symlink_to(target)
    assert "is not a plain file" in refused(folder)


def test_a_pipe_is_not_a_script(folder):
    os.mkfifo(folder.path / DONE, 0o700)
    assert "is not a plain file" in refused(folder)


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    folder.add(DONE, HELLO)
    (tmp_path / "link").symlink_to(folder.path)
    assert folder.run(folder=tmp_path / "link").detail["stdout"] == "hello\n"


def test_a_script_that_was_removed_is_given_up(folder, store):
    path = folder.add(DONE, HELLO)
    plugin = folder.plugin()
    (target,) = plugin.delivery_targets(folder.event(), store)
    path.unlink()
    with pytest.raises(Rejected, match="was removed since the event"):
        plugin.announced(folder.event(), store, target)


@pytest.mark.parametrize("name", ["../evil", "/bin/true", "invoice_completed.d/../../evil", "invoice_expired", ""])
def test_a_stored_target_cannot_name_anything_else(name, folder, store, tmp_path):
    for path in ("../evil", DONE, f"{DONE}.d/print", "invoice_expired"):
        folder.add(path, HELLO)
    plugin = folder.plugin()
    target = plugin.delivery_targets(folder.event(), store)[0]
    forged = type(target)(key=target.key, label=target.label, data={"script": name})
    with pytest.raises(Rejected):
        plugin.announced(folder.event(), store, forged)


def test_it_is_a_plugin_that_runs_apart():
    assert Scripts.lane == "isolated"
