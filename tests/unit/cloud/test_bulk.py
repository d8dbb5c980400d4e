import csv
import io

import pytest

from harness.cloud import OnboardRow
from harness.cloud.bulk import onboarding_csv, row_errors
from harness.errors import Misuse

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"


def test_csv_has_five_columns_and_quotes_only_what_needs_it():
    text = onboarding_csv([OnboardRow("d1", PEM, "", ("t1", "t2"), ("APP", "MODEM"))])
    assert text == f'd1,,t1|t2,APP|MODEM,"{PEM}\n"\n'


def test_csv_quotes_a_sub_type_with_a_comma():
    (row,) = csv.reader(io.StringIO(onboarding_csv([OnboardRow("d1", PEM, "a,b")])))
    assert row == ["d1", "a,b", "", "", PEM + "\n"]


@pytest.mark.parametrize("count", [0, 1001])
def test_csv_refuses_too_few_and_too_many(count):
    with pytest.raises(Misuse, match=f"not {count}"):
        onboarding_csv([OnboardRow(f"d{n}", PEM) for n in range(count)])


def test_csv_refuses_an_id_twice():
    with pytest.raises(Misuse, match="got b more than once"):
        onboarding_csv([OnboardRow(name, PEM) for name in "abb"])


def test_row_errors():
    assert row_errors(b'{"errors": ["[0]: first", "[3]: x: y", "[3]: again", "odd"]}') == {
        0: "first",
        3: "x: y; again",
        -1: "odd",
    }


@pytest.mark.parametrize("body", [b"<Error>no</Error>", b"[]", b"{}", b"\xff"])
def test_an_unreadable_error_file_is_kept(body):
    assert list(row_errors(body)) == [-1]
