"""What a board did last, from a file that somebody may have changed."""

import pytest

from harness.report.live.last_events import latest


@pytest.mark.parametrize("t", ["1" + "0" * 400, '"soon"', "null", "[]"])
def test_a_time_that_makes_no_sense_is_none(tmp_path, t):
    path = tmp_path / "dk-1.jsonl"
    path.write_text(f'{{"k":"rx","t":{t},"x":"OK"}}\n{{"k":"rx","t":1.5,"x":"OK"}}\n')
    assert [line.split()[0] for line in latest(path).lines] == ["0.000000", "1.500000"]
