from collections import deque

import pytest

from harness.at import AtError, AtFormatError
from harness.errors import BoardLost, Misuse, NoAnswer, NotRegistered
from harness.modem import KeygenMismatch, Modem
from tests.unit.modem.keygen_maker import DEVICE_UUID, make_keygen
from tests.unit.modem.scripted import ScriptedPort

SEC_TAG = 16842753


def _modem(answers, **kwargs):
    port = ScriptedPort(answers, **kwargs)
    return Modem(port.as_port(), sec_tags=[SEC_TAG]), port


def test_prepare_asks_for_error_numbers():
    modem, port = _modem({"AT+CMEE=1": "OK"})
    modem.prepare()
    assert port.sent == ["AT+CMEE=1"]


@pytest.mark.parametrize("mode", [0, 1, 2, 4, 21, 44])
def test_functional_mode_is_read_and_set(mode):
    modem, port = _modem({"AT+CFUN?": [f"+CFUN: {mode}", "OK"], f"AT+CFUN={mode}": "OK"})
    assert modem.functional_mode() == mode
    modem.set_functional_mode(mode)
    assert port.timeouts[f"AT+CFUN={mode}"] == 60.0
    modem.set_functional_mode(mode, timeout=7.0)
    assert port.timeouts[f"AT+CFUN={mode}"] == 7.0


def test_a_functional_mode_that_is_no_number_is_refused():
    modem, _ = _modem({"AT+CFUN?": ["+CFUN: x", "OK"]})
    with pytest.raises(AtFormatError, match="not a functional mode"):
        modem.functional_mode()


# offline


@pytest.mark.parametrize("mode", [0, 4])
def test_offline_leaves_an_inactive_modem_alone(mode):
    modem, port = _modem({"AT+CFUN?": [f"+CFUN: {mode}", "OK"]})
    with modem.offline():
        pass
    assert port.sent == ["AT+CFUN?"]


@pytest.mark.parametrize("mode", [1, 2, 21, 31, 44])
def test_offline_goes_to_flight_mode_and_back(mode):
    modem, port = _modem({"AT+CFUN?": [f"+CFUN: {mode}", "OK"], "AT+CFUN=4": "OK", f"AT+CFUN={mode}": "OK"})
    with modem.offline():
        assert port.sent[-1] == "AT+CFUN=4"
    assert port.sent == ["AT+CFUN?", "AT+CFUN=4", f"AT+CFUN={mode}"]


@pytest.mark.parametrize("error", [RuntimeError("body"), KeyboardInterrupt()])
def test_offline_returns_after_a_failed_block_too(error):
    modem, port = _modem({"AT+CFUN?": ["+CFUN: 1", "OK"], "AT+CFUN=4": "OK", "AT+CFUN=1": "OK"})
    with pytest.raises(type(error)) as caught, modem.offline():
        raise error
    assert caught.value is error
    assert port.sent[-1] == "AT+CFUN=1"
    assert not hasattr(error, "__notes__")


def test_when_going_back_fails_too_the_first_error_wins_with_a_note_of_the_second():
    modem, _ = _modem({"AT+CFUN?": ["+CFUN: 1", "OK"], "AT+CFUN=4": "OK", "AT+CFUN=1": "+CME ERROR: 528"})
    with pytest.raises(RuntimeError, match="body") as caught, modem.offline():
        raise RuntimeError("body")
    (note,) = caught.value.__notes__
    assert note.startswith("returning to AT+CFUN=1 failed afterwards: AT+CFUN=1 answered +CME ERROR: 528")


def test_when_only_going_back_fails_that_is_the_error():
    modem, _ = _modem({"AT+CFUN?": ["+CFUN: 1", "OK"], "AT+CFUN=4": "OK", "AT+CFUN=1": "ERROR"})
    with pytest.raises(AtError, match=r"AT\+CFUN=1"), modem.offline():
        pass


def test_when_flight_mode_is_refused_the_former_mode_is_asked_for_and_the_block_does_not_run():
    modem, port = _modem({"AT+CFUN?": ["+CFUN: 1", "OK"], "AT+CFUN=4": "ERROR", "AT+CFUN=1": "OK"})
    ran = []
    with pytest.raises(AtError, match=r"AT\+CFUN=4"), modem.offline():
        ran.append(True)
    assert not ran
    assert port.sent[-1] == "AT+CFUN=1"


# register

LISTENING = {"AT+CEREG=5": "OK", "AT+CSCON=1": "OK", "AT+CGEREP=1": "OK", "AT%MDMEV=1": "OK"}


def _register(read, *urcs, timeout=120.0):
    modem, port = _modem(
        {**LISTENING, "AT+CFUN=1": "OK", "AT+CEREG?": [f"+CEREG: {read}", "OK"]},
        urcs={"AT+CFUN=1": urcs},
    )
    return modem, port, lambda: modem.register(timeout)


def test_registration_is_awaited():
    _, port, register = _register(
        "5,4",
        '+CEREG: 2,"0901","02024720",7',
        '+CEREG: 5,"0901","02024720",7,,,"11100000","11100000"',
    )
    found = register()
    assert found.registered
    assert (found.tac, found.cell_id, found.act, found.active_time) == ("0901", "02024720", 7, "11100000")
    assert port.sent == [*LISTENING, "AT+CFUN=1", "AT+CEREG?"]
    assert all(119.0 < wait <= 120.0 for wait in port.waits)


def test_a_registered_modem_says_nothing_and_needs_no_event():
    _, port, register = _register('5,1,"0901","02024720",9')
    assert register().status == 1
    assert port.waits == []


def test_denial_fails_at_once_with_its_meaning():
    _, port, register = _register("5,4", '+CEREG: 3,"002F","0012BEEF",7,0,13', "+CEREG: 5")
    with pytest.raises(NotRegistered, match=r"EMM cause 13: roaming not allowed") as caught:
        register()
    assert '+CEREG: 3,"002F","0012BEEF",7,0,13' in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(port.heard) == ["+CEREG: 5"]


def test_uicc_failure_fails_at_once():
    _, _, register = _register("5,90")
    with pytest.raises(NotRegistered, match=r"\+CEREG: 5,90 \(UICC failure\): check that a SIM"):
        register()


def test_the_deadline_shows_the_last_cereg_and_what_was_heard():
    _, _, register = _register("5,4", '+CEREG: 2,"0901","02024720",7', timeout=30.0)
    with pytest.raises(NotRegistered) as caught:
        register()
    text = str(caught.value)
    assert "within 30 s" in text
    assert '+CEREG: 2,"0901","02024720",7 (searching)' in text
    assert "last heard: OK" in text
    assert "\n" not in text
    assert isinstance(caught.value.__cause__, NoAnswer)


def test_a_board_that_goes_away_is_not_an_unregistered_one():
    modem, _ = _modem({**LISTENING, "AT+CFUN=1": BoardLost("gone")})
    with pytest.raises(BoardLost, match="gone"):
        modem.register()


def test_a_modem_may_lack_a_notification_but_not_that_of_its_registration():
    modem, port, _ = _register("5,1")
    port.answers["AT%MDMEV=1"] = "ERROR"
    assert modem.register().registered
    assert [event.text[:44] for event in port.timeline.since()] == ["this modem does not notify by AT%MDMEV=1: AT"]
    port.answers["AT+CEREG=5"] = "ERROR"
    with pytest.raises(AtError):
        modem.register()


def test_present_registration():
    modem, _ = _modem({"AT+CEREG?": ['+CEREG: 2,2,"0901","02024720",7', "OK"]})
    found = modem.registration()
    assert (found.status, found.registered, found.cell_id) == (2, False, "02024720")


# generate_key


def _keygen(command, value, uuid=("%DEVICEUUID: " + DEVICE_UUID, "OK")):
    return _modem({"AT%DEVICEUUID": list(uuid), command: [f"%KEYGEN: {value}", "OK"]})


@pytest.mark.parametrize(
    ("arguments", "command", "common_name"),
    [
        ({}, f"AT%KEYGEN={SEC_TAG},2,0", DEVICE_UUID),
        ({"subject": "CN=nrf-1,O=Lab"}, f'AT%KEYGEN={SEC_TAG},2,0,"CN=nrf-1,O=Lab"', "nrf-1"),
        ({"subject": "O=Lab, CN = nrf-1"}, f'AT%KEYGEN={SEC_TAG},2,0,"O=Lab, CN = nrf-1"', "nrf-1"),
        (
            {"subject": "CN=nrf-1", "key_usage": "101010000"},
            f'AT%KEYGEN={SEC_TAG},2,0,"CN=nrf-1","101010000"',
            "nrf-1",
        ),
        ({"key_usage": "1"}, f'AT%KEYGEN={SEC_TAG},2,0,,"1"', DEVICE_UUID),
        ({"subject": "O=Lab"}, f'AT%KEYGEN={SEC_TAG},2,0,"O=Lab"', "anything"),
    ],
)
def test_a_key_is_made_as_asked(arguments, command, common_name):
    modem, port = _keygen(command, make_keygen(SEC_TAG, common_name=common_name))
    result = modem.generate_key(SEC_TAG, **arguments)
    assert port.sent[-1] == command
    assert (result.sec_tag, result.device_uuid, result.common_name) == (SEC_TAG, DEVICE_UUID, common_name)


@pytest.mark.parametrize(
    ("arguments", "made", "reason"),
    [
        ({}, {"sec_tag": 17}, "sec_tag 17, but 16842753 was asked for"),
        ({}, {"device_uuid": "56495254-ffff-4738-800d-1f29e0a0f7bf"}, "AT%DEVICEUUID says"),
        ({}, {"common_name": "nrf-1"}, "CN is 'nrf-1'"),
        ({"subject": "CN=nrf-1"}, {}, "but 'nrf-1' was asked for"),
        ({}, {"digest": bytes(32)}, "SHA-256"),
    ],
)
def test_another_key_than_asked_for_is_refused(arguments, made, reason):
    subject = f',"{arguments["subject"]}"' if arguments else ""
    modem, _ = _keygen(f"AT%KEYGEN={SEC_TAG},2,0{subject}", make_keygen(**({"sec_tag": SEC_TAG} | made)))
    with pytest.raises((KeygenMismatch, AtFormatError), match=reason):
        modem.generate_key(SEC_TAG, **arguments)


def test_nrf9160_names_no_uuid_and_its_word_is_taken():
    command = f"AT%KEYGEN={SEC_TAG},2,0"
    modem, _ = _keygen(command, make_keygen(SEC_TAG, with_null=True, body_as_aad=True), uuid=["ERROR"])
    result = modem.generate_key(SEC_TAG)
    assert result.repaired
    assert result.device_uuid == DEVICE_UUID


@pytest.mark.parametrize(("code", "meaning"), [(518, "not allowed in active state"), (519, "already exists")])
def test_the_modems_no_comes_through(code, meaning):
    modem, _ = _modem({"AT%DEVICEUUID": "ERROR", f"AT%KEYGEN={SEC_TAG},2,0": f"+CME ERROR: {code}"})
    with pytest.raises(AtError, match=meaning) as caught:
        modem.generate_key(SEC_TAG)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("sec_tag", "arguments"),
    [
        (42, {}),
        (2147483648, {}),
        (-1, {}),
        (SEC_TAG, {"subject": 'CN="x"'}),
        (SEC_TAG, {"subject": ""}),
        (SEC_TAG, {"subject": "CN=ø"}),
        (SEC_TAG, {"subject": "CN=x\r"}),
        (SEC_TAG, {"key_usage": "1010100001"}),
        (SEC_TAG, {"key_usage": "12"}),
        (SEC_TAG, {"key_usage": ""}),
    ],
)
def test_misuse_comes_before_anything_is_sent(sec_tag, arguments):
    modem, port = _modem({})
    with pytest.raises(Misuse) as caught:
        modem.generate_key(sec_tag, **arguments)
    assert "\n" not in str(caught.value)
    assert port.sent == []


def test_a_command_that_must_not_be_answered_twice_is_sent_once():
    command = f"AT%KEYGEN={SEC_TAG},2,0"
    modem, port = _modem({"AT%DEVICEUUID": "ERROR", command: deque([NoAnswer("silence")])})
    with pytest.raises(NoAnswer):
        modem.generate_key(SEC_TAG)
    assert port.sent.count(command) == 1
