from __future__ import annotations

import sys
from threading import Thread

import pytest
from attrs import evolve

from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.contract import TokenFlag, TokenInfo
from bhxh_sdk.signers.pkcs11.pin_memory import PinMemory
from bhxh_sdk.token_errors import PinError

TOKEN = TokenInfo(slot=0, label="HR", serial="0A1B", shortest_pin=4, longest_pin=8)
LOW = TokenFlag.USER_PIN_COUNT_LOW
OTHER = evolve(TOKEN, serial="FFFF")


def send(memory, pin="1234", token=TOKEN):
    return memory.sent(token, memory.mark(token, Secret(pin)))


class Holder:
    """Stands in for a session."""


def is_refused(memory, pin, token=TOKEN):
    try:
        memory.demand_new(token, memory.mark(token, Secret(pin)))
    except PinError as error:
        return error.code == "pin.refused_before"
    return False


def test_wrong_pins_are_counted_by_token_until_the_right_one():
    memory = PinMemory()
    send(memory)
    memory.refused(send(memory, "4321", evolve(TOKEN, slot=7, flags=LOW)))
    assert (memory.wrong(TOKEN), memory.wrong(OTHER)) == (2, 0)
    memory.right(send(memory, "5678"))
    assert memory.wrong(TOKEN) == 1  # another slot's, which may hold another chip with that number
    memory.right(send(memory, "5678", evolve(TOKEN, slot=7)))
    assert memory.wrong(TOKEN) == 0


def test_a_flag_before_our_first_entry_tells_of_somebody_elses():
    memory, low = PinMemory(), evolve(TOKEN, flags=LOW)
    memory.not_judged(send(memory, token=low))
    assert memory.wrong(TOKEN) == 0
    send(memory, token=low)
    send(memory, token=low)
    assert memory.wrong(TOKEN) == 3
    memory.right(send(memory))
    assert memory.wrong(TOKEN) == 0


def test_of_two_chips_with_one_number_a_right_pin_clears_nothing():
    memory = PinMemory()
    send(memory)
    memory.right(send(memory, "4321"), alone=False)
    assert memory.wrong(TOKEN) == 1


def test_flags_that_are_clear_again_tell_nothing():
    memory = PinMemory()
    memory.refused(send(memory, token=evolve(TOKEN, flags=LOW)))
    memory.refused(send(memory, "4321", token=evolve(TOKEN, flags=LOW)))
    assert memory.wrong(TOKEN) == 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (TOKEN, evolve(TOKEN, label="Other", manufacturer="Other", model="Other"), True),
        (TOKEN, evolve(TOKEN, serial=" 0a1b"), True),
        (TOKEN, evolve(TOKEN, serial="A1B"), True),
        (TOKEN, OTHER, False),
        (evolve(TOKEN, serial=""), evolve(TOKEN, serial="", label="Other"), False),
        (evolve(TOKEN, serial=""), evolve(TOKEN, serial="", slot=3), True),
        (evolve(TOKEN, serial="000"), evolve(TOKEN, serial="0", label="Other"), True),
    ],
)
def test_a_chip_is_known_by_its_number_under_whatever_name(one, other, same):
    memory = PinMemory()
    memory.refused(send(memory, token=one))
    assert (memory.wrong(other) == 1) is same
    assert (memory.lock(one) is memory.lock(other)) is same


def test_a_login_is_that_of_one_name_in_one_slot_of_one_module():
    memory, holder, module = PinMemory(), Holder(), Holder()
    memory.logged_in(TOKEN, holder, module)
    assert memory.is_logged_in(TOKEN, module)
    assert not memory.is_logged_in(TOKEN, Holder())
    assert not memory.is_logged_in(evolve(TOKEN, slot=3), module)
    memory.login_lost(evolve(TOKEN, slot=3), module)
    assert memory.holds_login(holder)
    memory.login_lost(TOKEN, module)
    assert not memory.holds_login(holder)
    assert not memory.is_logged_in(evolve(TOKEN, label="Other"))


def test_a_refused_pin_is_not_sent_again_whoever_has_it():
    memory = PinMemory()
    memory.refused(send(memory))
    assert is_refused(memory, "1234")
    assert not is_refused(memory, "4321")
    assert not is_refused(memory, "1234", OTHER)
    assert not is_refused(memory, "1234", evolve(TOKEN, label="Another chip with that number"))
    memory.right(send(memory, "4321"))
    assert is_refused(memory, "1234")
    memory.right(send(memory, "1234"))  # where the caller had said so
    assert not is_refused(memory, "1234")


def test_what_was_neither_taken_nor_refused_is_counted_and_may_be_entered_again():
    memory = PinMemory()
    send(memory)
    assert not is_refused(memory, "1234")
    with pytest.raises(PinError):
        memory.demand_new(TOKEN, memory.mark(TOKEN, Secret("1234")), at_hand=True)
    assert memory.wrong(TOKEN) == 1


def test_an_entry_that_nobody_looked_at_leaves_everything_as_it_was():
    memory = PinMemory()
    send(memory)
    memory.not_judged(send(memory))
    memory.refused(send(memory))
    memory.not_judged(send(memory, "4321"))
    assert memory.wrong(TOKEN) == 2
    assert is_refused(memory, "1234")
    assert not is_refused(memory, "4321")


def test_what_is_typed_on_a_pad_is_counted_and_has_no_mark():
    memory = PinMemory()
    assert memory.mark(TOKEN, None) is None
    memory.refused(memory.sent(TOKEN, None))
    memory.demand_new(TOKEN, None)
    assert memory.wrong(TOKEN) == 1
    memory.right(memory.sent(TOKEN, None))
    assert memory.wrong(TOKEN) == 0


def test_no_mark_is_shown_and_each_process_has_its_own():
    memory = PinMemory()
    mark, sent = memory.mark(TOKEN, Secret("1234")), send(memory)
    assert mark != PinMemory().mark(TOKEN, Secret("1234"))
    assert mark != memory.mark(OTHER, Secret("1234"))
    memory.refused(sent)
    assert repr(mark) not in repr(memory.sent(TOKEN, mark))


def test_each_token_has_its_own_lock_and_a_forked_process_a_new_one(monkeypatch):
    memory = PinMemory()
    lock = memory.lock(TOKEN)
    assert memory.lock(evolve(TOKEN, slot=3)) is lock
    assert memory.lock(evolve(TOKEN, serial="FFFF")) is not lock
    monkeypatch.setattr("bhxh_sdk.signers.pkcs11.locks.os.getpid", lambda: -1)
    assert memory.lock(TOKEN) is not lock


def test_who_is_logged_in_can_be_asked_while_others_log_in_and_out():
    memory, failures, holders = PinMemory(), [], [Holder() for _ in range(600)]
    for holder in holders[300:]:
        memory.logged_in(TOKEN, holder)

    def look():
        try:
            for _ in range(2000):
                assert memory.is_logged_in(TOKEN)
        except RuntimeError as error:
            failures.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = Thread(target=look)
    thread.start()
    while thread.is_alive():
        for holder in holders[:300]:
            memory.logged_in(TOKEN, holder)
            memory.logged_out(holder)
    sys.setswitchinterval(before)
    assert failures == []
