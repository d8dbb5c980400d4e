import itertools

import pytest

from harness.at import AtError, AtFormatError
from harness.modem import Identity, Modem
from tests.unit.modem.scripted import ScriptedPort
from tests.unit.modem.vectors import VECTORS

_9151 = {
    "AT+CGSN=1": ['+CGSN: "352656100000000"', "OK"],
    "AT+CGMI": ["Nordic Semiconductor ASA", "OK"],
    "AT+CGMM": ["nRF9151-LACA", "OK"],
    "AT+CGMR": ["mfw_nrf91x1_2.0.2", "OK"],
    "AT%HWVERSION": ["%HWVERSION: nRF9151 LACA A1A", "OK"],
    "AT%DEVICEUUID": ["%DEVICEUUID: 504D5632-3739-42fb-80c8-1411df972166", "OK"],
}


def _identity(**changes):
    return Modem(ScriptedPort(_9151 | changes).as_port(), sec_tags=()).identity()


def test_nrf9151():
    assert _identity() == Identity(
        imei="352656100000000",
        device_uuid="504d5632-3739-42fb-80c8-1411df972166",
        manufacturer="Nordic Semiconductor ASA",
        model="nRF9151-LACA",
        firmware="mfw_nrf91x1_2.0.2",
        hardware="nRF9151 LACA A1A",
    )


def test_recorded_nrf9160_has_no_device_uuid():
    events = VECTORS["modem_boundary_trace"]["events"]
    trace = {
        before[2]: after[2].splitlines()
        for before, after in itertools.pairwise(events)
        if before[1] == "cmd" and after[1] == "rsp"
    }
    answers = {command: trace[command] for command in ("AT+CGSN=1", "AT+CGMI", "AT+CGMM", "AT+CGMR")}
    identity = _identity(**answers, **{"AT%DEVICEUUID": "ERROR", "AT%HWVERSION": "+CME ERROR: 0"})
    assert identity == Identity(
        "352656100000000", None, "Nordic Semiconductor ASA", "nRF9160-SICA", "mfw_nrf9160_1.3.2", None
    )


def test_a_modem_without_imei_says_so():
    with pytest.raises(AtError, match=r"AT\+CGSN=1 answered ERROR"):
        _identity(**{"AT+CGSN=1": "ERROR"})


@pytest.mark.parametrize("imei", ['"35265610000000"', "352656100000000", '""', '"35265610000000A"'])
def test_what_is_no_imei_is_refused(imei):
    with pytest.raises(AtFormatError, match="15 digits"):
        _identity(**{"AT+CGSN=1": [f"+CGSN: {imei}", "OK"]})
