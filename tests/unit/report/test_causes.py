"""One reason, one cause; whom it points at."""

from harness.report.causes import causes_of
from harness.report.ran_tests import KILLED, RanTest

ALLOWED = "Policy: iot:Publish on prod/x: allowed by associated statement 2 (topic/prod/x)."
DENIED = "Policy: iot:Publish on prod/y: implicit deny; nearest: provisioned statement 3 (iot:Publish) allows z."
FORBIDDEN = "Policy: iot:Publish on prod/y: explicit deny by lab statement 4 'NoRetain' (topic/prod/y)."


def trial(got, wanted, policy="", board="dk", test="t", **more):
    decisive = {"action": "publish on prod/x", "policy": policy, "wanted": [wanted], "got": got}
    message = f"expected {wanted}, got {got}: publish on prod/x. Because of 3 ms."
    fields = {"party": "cloud", "raised": "WrongVerdict"} | more
    return RanTest(test, board, test, "failed", message=message, decisive=decisive, **fields)


def error(message, board="dk", test="t", result="error", **more):
    return RanTest(test, board, test, result, message=message, **more)


def titles(*tests):
    return [cause.title for cause in {one.hash: one for one in causes_of(tests).values()}.values()]


def test_what_the_documents_allow_and_the_cloud_refuses_is_one_cause():
    tests = [
        trial("policy disconnect", "tolerated", ALLOWED),
        trial("refused at connect", "tolerated", ALLOWED, board="dk2", test="u"),
        trial("ignored", "tolerated", ALLOWED.replace("prod/x", "prod/z"), test="v"),
    ]
    assert titles(*tests) == ["The cloud refuses what associated statement 2 allows"]
    (cause, *_) = causes_of(tests).values()
    assert (cause.party, cause.proved) == ("cloud", True)
    assert cause.detail == "expected tolerated, got policy disconnect"


def test_each_statement_has_its_own_cause():
    other = ALLOWED.replace("associated statement 2", "gateway statement 1")
    assert len(titles(trial("denied", "authorised", ALLOWED), trial("denied", "authorised", other, test="u"))) == 2


def test_what_nothing_allows_and_the_cloud_lets_pass():
    tests = [
        trial("tolerated", "policy disconnect", DENIED),
        trial(
            "tolerated",
            "refused at connect",
            DENIED.replace("provisioned statement 3", "gateway statement 1"),
            test="u",
        ),
        trial("tolerated", "policy disconnect", FORBIDDEN, test="v"),
    ]
    assert titles(*tests) == [
        "The cloud allows what no statement of its policies allows",
        "The cloud allows what lab statement 4 'NoRetain' denies",
    ]


def test_an_unproved_trial_points_where_its_outcome_does():
    (cause,) = causes_of([trial("network lost", "tolerated", party="radio", raised="Unproved")]).values()
    assert (cause.party, cause.proved, cause.title) == ("radio", False, "No verdict, network lost: Because of …")


def test_trials_that_one_suspect_kept_from_being_proved_have_one_cause():
    one, other = (trial("inconclusive", wanted, party="unclear", test=wanted) for wanted in ("tolerated", "refused"))
    for test in (one, other):
        test.decisive["reason"] = "suspected: packet limit"
    assert titles(one, other) == ["No verdict, inconclusive: suspected: packet limit"]


def test_errors_that_differ_in_ids_times_and_board_have_one_cause():
    tests = [
        error(
            "dk: harness-jitp-n441e34bbeb20734b was not provisioned: not within 20 s; look there",
            raised="NotProvisioned",
        ),
        error(
            "dk2: harness-jitp-nf3c36493510dd121 was not provisioned: not within 21.5 s",
            board="dk2",
            raised="NotProvisioned",
        ),
    ]
    assert titles(*tests) == ["harness-jitp-… was not provisioned: not within …"]


def test_codes_keep_causes_apart():
    tests = [
        error("AT%JWT: +CME ERROR: 525", raised="AtError"),
        error("AT%JWT: +CME ERROR: 528", raised="AtError", test="u"),
    ]
    assert len(titles(*tests)) == 2


def test_a_lost_board_is_the_cause_of_all_that_was_not_run_on_it():
    tests = [
        error("dk: its process died", raised="BoardLost", party="lab", out="dk: its process died"),
        error("dk is out: see the error of t", test="u", board_out=True),
        error("AT: no", test="v", raised="AtError", result="failed", party="modem/firmware"),
        error("dk2 is slow", board="dk2", party="lab"),
    ]
    found = causes_of(tests)
    assert found["t", "dk"] == found["u", "dk"]
    assert (found["t", "dk"].title, found["t", "dk"].party, found["t", "dk"].detail) == (
        "dk was lost",
        "lab",
        "its process died",
    )
    assert found["v", "dk"].party == "modem/firmware"
    assert found["t", "dk2"] != found["t", "dk"]


def test_a_lost_cloud_is_one_cause_for_all_boards():
    said = "local cloud 'local' (pid 7) died with signal 9; run again"
    tests = [
        error(said, raised="CloudUnreachable", party="cloud", out=said),
        error("dk is out: see the error of t", test="u", board_out=True),
        error(said, board="dk2", raised="CloudUnreachable", party="cloud", out=said),
    ]
    (found,) = set(causes_of(tests).values())
    assert (found.title, found.party, found.detail) == ("The cloud was lost", "cloud", said)


def test_a_stopped_run_blames_nobody():
    (cause,) = causes_of([error(KILLED, party="lab")]).values()
    assert (cause.party, cause.title) == ("lab", "The run was stopped while tests ran")


def test_what_nothing_is_known_of_is_unclear():
    (cause,) = causes_of([error("assert 1 == 2\nand more", result="failed")]).values()
    assert (cause.party, cause.title) == ("unclear", "assert 1 == 2")


def test_passed_and_skipped_tests_have_none():
    assert not causes_of([RanTest("t", "dk", "t"), RanTest("u", "dk", "u", "skipped", message="no")])
