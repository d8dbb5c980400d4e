"""A modem's refusal at the command line: board, code and what to do."""

import pytest

from harness.at import AtError
from harness.at.syntax import FinalResult
from harness.cli.cures import with_cure
from harness.errors import Refusal


@pytest.mark.parametrize(
    ("command", "final", "cure"),
    [
        ('AT%JWT=0,600,"","",16842753,2', FinalResult("CME", 513), "there is no key: nrf91-harness provision dk-1, or"),
        ("AT%CMNG=2,1,0", FinalResult("CME", 513), "the modem has no such item: nrf91-harness credentials list dk-1"),
        ("AT%KEYGEN=1,2,0", FinalResult("CME", 518), "the modem must be in flight mode for this"),
        ("AT%JWT", FinalResult("ERROR", None), "nrf91-harness doctor dk-1 finds what is wrong"),
        ("AT+CMGS=1", FinalResult("CMS", 513), "nrf91-harness doctor dk-1 finds what is wrong"),
    ],
)
def test_board_and_cure(command, final, cure):
    with pytest.raises(Refusal, match=rf"^dk-1: AT.*; {cure}") as caught, with_cure("dk-1"):
        raise AtError(command, final)
    assert isinstance(caught.value.__cause__, AtError)
