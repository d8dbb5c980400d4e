"""Signal figures out of lines."""

import pytest

from harness.modem.signal import signal_in


@pytest.mark.parametrize(
    ("line", "figures"),
    [
        ("+CESQ: 99,99,255,255,31,62", {"rsrp": -79, "rsrq": -4.5}),
        ("+CESQ: 99,99,255,255,255,62", {"rsrp": -79}),
        ("+CESQ: 99,99,255,255,255,255", {}),
        ("%CESQ: 56,2,17,2", {"rsrp": -85, "rsrq": -11.5}),
        (
            '%XMONITOR: 5,"Telia N@","Telia N@","24202","0901",7,20,"02024720",428,6300,53,22,"","11100000",'
            '"11100000","01001001"',
            {"rsrp": -88, "snr": -2},
        ),
        ('%XMONITOR: 1,"a, b","","24202","0901",7,20,"02024720",428,6300,255,22,"",""', {"snr": -2}),
        ("%XMONITOR: 90", {}),
        (
            '%CONEVAL: 0,1,5,8,2,14,"011B0780","26295",7,1575,3,1,1,23,16,32,130',
            {"rsrp": -133, "rsrq": -19.0, "snr": -10},
        ),
        ("%CONEVAL: 1", {}),
        ("+CESQ: (99),(99),(255),(255),(0-34,255),(0-97,255)", {}),
        ('%XMONITOR: 5,"open', {}),
        ("+CESQ", {}),
        ("+CEREG: 5,1", {}),
        ("", {}),
    ],
)
def test_signal_figures(line, figures):
    assert signal_in(line) == figures
