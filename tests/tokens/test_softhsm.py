"""SoftHSM2 serves as the first real driver: what the fixtures promise."""

from __future__ import annotations

import pytest
from tokens.entries import PIN, shelf
from tokens.processes import run_python, run_tool
from tokens.softhsm import SoftHsm

pytestmark = pytest.mark.needs_tool("softhsm2-util", "pkcs11-tool")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = SoftHsm(tmp_path_factory.mktemp("softhsm"))
    world.make_tokens({"pairs": [shelf().a1, shelf().b2, shelf().d4, shelf().e5], "elliptic": [shelf().f6]})
    return world


def test_keys_and_certificates_stand_under_their_ids(world):
    tool = ["pkcs11-tool", "--module", world.module, "--token-label", "pairs", "--login", "--pin", PIN]
    ids = {}
    for kind in ("cert", "privkey"):
        listed = run_tool([*tool, "--list-objects", "--type", kind], environment=world.environment)
        ids[kind] = {line.split()[-1] for line in listed.splitlines() if line.strip().startswith("ID:")}
    assert ids == {"cert": {"a1", "b2", "d4"}, "privkey": {"a1", "e5"}}


def test_both_bindings_share_a_process_where_each_has_its_own_copy_of_the_driver(world, tmp_path):
    worlds = [world.copy(tmp_path / name) for name in ("one", "two")]
    worlds[1].remove_token("elliptic")
    printed = run_python(
        """
        import os, sys
        import pkcs11, PyKCS11
        files = sys.argv[1:]
        os.environ["SOFTHSM2_CONF"] = files[1]
        first = pkcs11.lib(files[0])
        os.environ["SOFTHSM2_CONF"] = files[3]
        second = PyKCS11.PyKCS11Lib()
        second.load(files[2])
        print(sorted(token.label for token in first.get_tokens() if token.label))
        labels = [second.getTokenInfo(slot).label.strip() for slot in second.getSlotList()]
        print(sorted(label for label in labels if label))
        with first.get_token(token_label="elliptic").open(user_pin=sys.argv[5]) as session:
            key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY)
            print(len(key.sign(bytes(32), mechanism=pkcs11.Mechanism.ECDSA)))
        """,
        *(path for one in worlds for path in (one.module, one.configuration)),
        PIN,
    )
    assert printed.splitlines() == ["['elliptic', 'pairs']", "['pairs']", "64"]
