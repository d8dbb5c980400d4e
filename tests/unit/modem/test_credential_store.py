import hashlib
from collections import deque
from pathlib import Path

import pytest

from harness.at import AtError, AtFormatError
from harness.errors import LabError, Misuse, NoAnswer
from harness.modem import CredentialKind, DigestMismatch, Modem, StoredCredential
from tests.unit.modem.scripted import ScriptedPort
from tests.unit.modem.vectors import BY_ID

SEC_TAG = 16842753
AMAZON = (Path(__file__).parents[3] / "harness/cloud/ca/AmazonRootCA1.pem").read_text()
AMAZON_DIGEST = "2C43952EE9E000FF2ACC4E2ED0897C0A72AD5FA72C3D934E81741CBD54F05BD1"
DELETE = f"AT%CMNG=3,{SEC_TAG},0"
LIST = f"AT%CMNG=1,{SEC_TAG},0"


def _write(content):
    return f'AT%CMNG=0,{SEC_TAG},0,"{content}"'


def _store(answers, **kwargs):
    port = ScriptedPort(answers, **kwargs)
    return Modem(port.as_port(), sec_tags=[SEC_TAG, 42]).credentials, port


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest().upper()


def _lines(raw):
    return raw.split("\r\n")[:-1]


# list, exists


def test_recorded_list():
    store, _ = _store({"AT%CMNG=1": _lines(BY_ID["nordic-cmng-list"]["raw"])})
    items = store.list()
    assert [(item.sec_tag, item.kind) for item in items] == [
        (42, 0),
        (1001, 0),
        (SEC_TAG, 0),
        (SEC_TAG, 1),
        (SEC_TAG, 2),
        (4294967293, 10),
        (4294967294, 6),
        (4294967292, 11),
    ]
    assert items[0] == StoredCredential(42, CredentialKind.ROOT_CA, AMAZON_DIGEST)


def test_recorded_empty_list():
    store, _ = _store({"AT%CMNG=1,0,0": _lines(BY_ID["nordic-cmng-list-empty"]["raw"])})
    assert store.list(0, 0) == []
    assert not store.exists(0, 0)


def test_list_by_sec_tag_and_kind():
    recorded = _lines(BY_ID["nordic-cmng-list"]["raw"])
    of_tag = [line for line in recorded if f": {SEC_TAG}," in line] + ["OK"]
    store, port = _store({"AT%CMNG=1": recorded, f"AT%CMNG=1,{SEC_TAG}": of_tag, LIST: [of_tag[0], "OK"]})
    assert [item.kind for item in store.list(SEC_TAG)] == [0, 1, 2]
    assert [item.sec_tag for item in store.list(kind=CredentialKind.ROOT_CA)] == [42, 1001, SEC_TAG]
    assert store.exists(SEC_TAG, CredentialKind.ROOT_CA)
    assert port.sent == [f"AT%CMNG=1,{SEC_TAG}", "AT%CMNG=1", LIST]


def test_kinds_that_nobody_knows_are_listed_as_numbers():
    store, _ = _store({"AT%CMNG=1": [f'%CMNG: 7,13,"{"ab" * 32}"', "OK"]})
    assert store.list() == [StoredCredential(7, 13, "AB" * 32)]


@pytest.mark.parametrize("line", ["%CMNG: 7,0", '%CMNG: 7,0,"AB"', f'%CMNG: 7,0,"{"G" * 64}"'])
def test_a_garbled_list_is_refused(line):
    store, _ = _store({"AT%CMNG=1": [line, "OK"]})
    with pytest.raises(AtFormatError, match="does not have the form"):
        store.list()


# verify: the digest is that of the exact bytes


def test_the_digest_rule_on_recorded_credentials():
    recorded = {step[0]: list(step[1:]) for step in BY_ID["nordic-cmng-verify-log"]["steps"]}
    store, _ = _store(recorded)
    store.verify(SEC_TAG, 0, AMAZON)
    store.verify(SEC_TAG, 1, BY_ID["nordic-cmng-verify-log"]["device_cert_pem"])
    for altered in (AMAZON.rstrip("\n"), AMAZON.replace("\n", "\r\n"), AMAZON + "\n"):
        with pytest.raises(DigestMismatch, match=AMAZON_DIGEST):
            store.verify(SEC_TAG, 0, altered)


def test_line_ends_that_were_changed_on_the_way():
    """A shell makes CR LF of LF, and nothing else does unless something is wrong in the lab."""
    sent = "-----BEGIN X-----\nab\n-----END X-----\n"
    listed = f'%CMNG: {SEC_TAG},0,"{_digest(sent.replace(chr(10), chr(13) + chr(10)))}"'
    port = ScriptedPort({LIST: [listed, "OK"], f"AT%CMNG=1,{SEC_TAG}": [listed, "OK"]})
    Modem(port.as_port(), sec_tags=[SEC_TAG], at_shell=True).credentials.verify(SEC_TAG, 0, sent)
    store = Modem(port.as_port(), sec_tags=[SEC_TAG]).credentials
    for check in (lambda: store.verify(SEC_TAG, 0, sent), lambda: store.verify_all(SEC_TAG, {0: sent})):
        with pytest.raises(LabError, match=r"type 0 \(ROOT_CA\) holds CR LF line ends, but LF was sent: ") as caught:
            check()
        assert "\n" not in str(caught.value)


def test_verify_of_what_is_not_there():
    store, _ = _store({LIST: "OK"})
    with pytest.raises(DigestMismatch, match=r"sec_tag 16842753 type 0 \(ROOT_CA\) holds nothing") as caught:
        store.verify(SEC_TAG, 0, AMAZON)
    assert "\n" not in str(caught.value)


# write, delete


@pytest.mark.parametrize("content", [AMAZON, AMAZON.replace("\n", "\r\n"), "x", "a\rb\n\nc"])
@pytest.mark.parametrize("deleted", ["OK", "+CME ERROR: 513"])
def test_write_deletes_first_and_keeps_the_content_verbatim(content, deleted):
    store, port = _store({DELETE: deleted, _write(content): "OK"})
    store.write(SEC_TAG, CredentialKind.ROOT_CA, content)
    assert port.sent == [DELETE, _write(content)]


@pytest.mark.parametrize("answer", ["+CME ERROR: 518", "+CME ERROR: 514", "ERROR"])
def test_write_ends_where_delete_is_refused(answer):
    store, port = _store({DELETE: answer})
    with pytest.raises(AtError):
        store.write(SEC_TAG, 0, AMAZON)
    assert port.sent == [DELETE]


def test_write_refused_by_the_modem():
    store, _ = _store({DELETE: "OK", _write("no PEM"): "+CME ERROR: 527"})
    with pytest.raises(AtError) as caught:
        store.write(SEC_TAG, 0, "no PEM")
    assert caught.value.code == 527


def test_delete_tells_whether_there_was_something():
    store, _ = _store({DELETE: deque(["OK", "+CME ERROR: 513"])})
    assert store.delete(SEC_TAG, 0) is True
    assert store.delete(SEC_TAG, 0) is False


@pytest.mark.parametrize("sec_tag", [41, 2147483648, 4294967294, -1])
def test_other_sec_tags_are_never_touched(sec_tag):
    store, port = _store({})
    for call in (
        lambda: store.write(sec_tag, 0, AMAZON),
        lambda: store.delete(sec_tag, 0),
        lambda: store.replaced(sec_tag, 0, AMAZON, former=AMAZON).__enter__(),
    ):
        with pytest.raises(Misuse, match=f"sec_tag {sec_tag} (is reserved|does not belong)") as caught:
            call()
        assert "\n" not in str(caught.value)
    assert port.sent == []


def test_a_reserved_sec_tag_stays_reserved_whatever_the_boards_file_says():
    port = ScriptedPort()
    store = Modem(port.as_port(), sec_tags=[4294967294]).credentials
    with pytest.raises(Misuse, match="reserved"):
        store.delete(4294967294, 6)
    assert port.sent == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "nothing to write"),
        ('say "hello"', "no escape"),
        ("a\0b", "NUL"),
        ("a\x7fb", "DEL"),
        ("x" * 4096, "4096|bytes"),
    ],
)
def test_content_that_cannot_be_sent_is_misuse_before_anything_is_sent(content, reason):
    store, port = _store({})
    for call in (
        lambda: store.write(SEC_TAG, 0, content),
        lambda: store.replaced(SEC_TAG, 0, AMAZON, former=content).__enter__(),
    ):
        with pytest.raises(Misuse, match=reason):
            call()
    assert port.sent == []


def test_the_longest_content_that_fits():
    head = len(_write("")) + len("\r")
    content = "x" * (4096 - head)
    store, port = _store({DELETE: "OK", _write(content): "OK"})
    store.write(SEC_TAG, 0, content)
    assert len(port.sent[-1]) == 4095
    with pytest.raises(Misuse):
        store.write(SEC_TAG, 0, content + "x")


# overwrite, verify_all


def test_overwrite_gives_up_nothing_beforehand():
    store, port = _store({_write(AMAZON): "OK"})
    store.overwrite(SEC_TAG, 0, AMAZON)
    assert port.sent == [_write(AMAZON)]


@pytest.mark.parametrize("answer", ["+CME ERROR: 515", "+CME ERROR: 518", "+CME ERROR: 528", "ERROR"])
def test_overwrite_refused_leaves_the_old_content(answer):
    store, port = _store({_write(AMAZON): answer})
    with pytest.raises(AtError):
        store.overwrite(SEC_TAG, 0, AMAZON)
    assert port.sent == [_write(AMAZON)]


def test_overwrite_deletes_first_where_the_modem_wants_it():
    store, port = _store({_write(AMAZON): deque(["+CME ERROR: 519", "OK"]), DELETE: "OK"})
    store.overwrite(SEC_TAG, 0, AMAZON)
    assert port.sent == [_write(AMAZON), DELETE, _write(AMAZON)]


def test_verify_all_takes_one_command():
    key = "A" * 64
    command = f"AT%CMNG=1,{SEC_TAG}"
    store, port = _store({command: [f'%CMNG: {SEC_TAG},0,"{AMAZON_DIGEST}"', f'%CMNG: {SEC_TAG},2,"{key}"', "OK"]})
    assert store.verify_all(SEC_TAG, {0: AMAZON}, also=[2]) == {0: AMAZON_DIGEST, 2: key}
    assert port.sent == [command]
    with pytest.raises(DigestMismatch, match=r"type 0 \(ROOT_CA\) holds 2C43"):
        store.verify_all(SEC_TAG, {0: AMAZON + "x"})
    with pytest.raises(DigestMismatch, match=r"type 1 \(CLIENT_CERT\) holds nothing"):
        store.verify_all(SEC_TAG, {1: AMAZON})
    with pytest.raises(DigestMismatch, match=r"type 3 \(PSK\) holds nothing"):
        store.verify_all(SEC_TAG, {}, also=[3])


# read


@pytest.mark.parametrize("content", [AMAZON, AMAZON.replace("\n", "\r\n"), "identity"])
def test_read_gives_the_content_verbatim(content):
    line = f'%CMNG: {SEC_TAG},0,"{_digest(content)}","{content}"'
    store, _ = _store({f"AT%CMNG=2,{SEC_TAG},0": [line, "OK"]})
    assert store.read(SEC_TAG, 0) == content


def test_content_that_lost_bytes_on_the_way_is_refused():
    line = f'%CMNG: {SEC_TAG},0,"{AMAZON_DIGEST}","{AMAZON[:-10]}"'
    store, _ = _store({f"AT%CMNG=2,{SEC_TAG},0": [line, "OK"]})
    with pytest.raises(DigestMismatch, match="bytes were lost") as caught:
        store.read(SEC_TAG, 0)
    assert "BEGIN CERTIFICATE" not in str(caught.value)


@pytest.mark.parametrize(("kind", "code"), [(2, 514), (0, 513)])
def test_what_cannot_be_read(kind, code):
    store, _ = _store({f"AT%CMNG=2,{SEC_TAG},{kind}": f"+CME ERROR: {code}"})
    with pytest.raises(AtError) as caught:
        store.read(SEC_TAG, kind)
    assert caught.value.code == code


def test_an_answer_without_content_is_refused():
    store, _ = _store({f"AT%CMNG=2,{SEC_TAG},0": [f'%CMNG: {SEC_TAG},0,"{AMAZON_DIGEST}"', "OK"]})
    with pytest.raises(AtFormatError, match="does not have the form"):
        store.read(SEC_TAG, 0)


# replaced


def _listed(content):
    return [f'%CMNG: {SEC_TAG},0,"{_digest(content)}"', "OK"]


def _replacing(mode=1, **answers):
    return _store(
        {
            "AT+CFUN?": [f"+CFUN: {mode}", "OK"],
            "AT+CFUN=4": "OK",
            f"AT+CFUN={mode}": "OK",
            DELETE: "OK",
            _write("wrong"): "OK",
            _write("right"): "OK",
            LIST: deque([_listed("wrong"), _listed("right")]),
            **answers,
        }
    )


def _put(content, mode):
    return ["AT+CFUN?", "AT+CFUN=4", DELETE, _write(content), LIST, f"AT+CFUN={mode}"]


def test_replaced_for_a_block():
    store, port = _replacing()
    with store.replaced(SEC_TAG, CredentialKind.ROOT_CA, "wrong", former="right"):
        assert port.sent == _put("wrong", 1)
    assert port.sent == _put("wrong", 1) + _put("right", 1)


def test_replaced_is_restored_after_a_failed_block():
    store, port = _replacing()
    with pytest.raises(RuntimeError, match="body"), store.replaced(SEC_TAG, 0, "wrong", former="right"):
        raise RuntimeError("body")
    assert port.sent == _put("wrong", 1) + _put("right", 1)


def test_replaced_is_restored_when_the_replacement_is_refused():
    store, port = _replacing(**{_write("wrong"): "+CME ERROR: 527", LIST: _listed("right")})
    with pytest.raises(AtError, match="527"), store.replaced(SEC_TAG, 0, "wrong", former="right"):
        pytest.fail("the block ran")
    assert _write("right") in port.sent
    assert port.sent[-1] == "AT+CFUN=1"


def test_a_restoration_that_fails_is_noted_on_the_blocks_error():
    store, _ = _replacing(**{_write("right"): NoAnswer("silence")})
    with pytest.raises(RuntimeError) as caught, store.replaced(SEC_TAG, 0, "wrong", former="right"):
        raise RuntimeError("body")
    assert caught.value.__notes__ == ["restoring sec_tag 16842753 type 0 (ROOT_CA) failed afterwards: silence"]
