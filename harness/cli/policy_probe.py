"""``nrf91-harness policy probe``: the policies that are really deployed, compared with the expected documents."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from harness.cli.arguments import Arguments
from harness.cli.exit_codes import LAB, OK, REFUSED
from harness.cli.policy import describe_case
from harness.cli.progress import Progress
from harness.cli.result import Result
from harness.cli.session import one_board
from harness.policy import Membership, Mutant
from harness.policy_trials.discrepancies import Discrepancy, TriedCase
from harness.policy_trials.drift import Deviation, Drift
from harness.policy_trials.probe import probe as run_probe

_SHOWN: Final = 6  # how many entries of a group are shown; --json has all


def probe(given: Arguments, progress: Progress) -> Result:
    """Run the smallest set of trials on the board, and show what the deployed policies lack, or allow in excess."""
    with one_board(given, progress) as board:
        drift = run_probe(board, given.memberships or [Membership.ASSOCIATED], progress=progress)
        device_id, team = board.device.id, board.cloud.account.tenant_id
        config = board.cloud.config
    data = {
        "board": given.board,
        "device_id": device_id,
        "team": team,
        "cloud": board.cloud.name,
        "profile": config.profile,
        "policies": list(config.policies or ()),
        **{str(discrepancy): [_difference(one) for one in drift.found(discrepancy)] for discrepancy in Discrepancy},
        "never_hung_up": {str(packets): count for packets, count in drift.never_hung_up.items()},
        "changes": [[str(mutant) for mutant in group] for group in drift.changes],
        "changes_excluded": drift.excluded,
        "changes_beyond_trials": drift.beyond,
        "profiles_that_fit": list(drift.profiles),
        "trials": [_tried(one) for one in drift.tried],
    }
    head = f"{given.board} (device {device_id}, team {team}) and {config.expected} of cloud {board.cloud.name}"
    return Result(data, [head, *_lines(drift, config.expected)], _code(drift))


def _code(drift: Drift) -> int:
    if drift.differences:
        return REFUSED
    return LAB if drift.unproved or drift.not_run else OK


def _lines(drift: Drift, expected: str) -> list[str]:
    lines: list[str] = []
    for one in [*drift.found(Discrepancy.LACKS), *drift.found(Discrepancy.GAINED)]:
        lines.append(f"{one.discrepancy:<6}  {one.statement or 'no statement comes near'}")
        lines.append(f"        {one.text}")
    lines += _stayed(drift)
    for group in drift.changes:
        lines += _group(group)
    fitting = [name for name in drift.profiles if f"profile {name}" != expected]
    if drift.differences and fitting:
        lines.append(f"the results are exactly those of profile {' and profile '.join(fitting)}")
    if drift.refuses_nothing:
        lines.append("nothing was refused: this cloud seems to enforce no policies at all")
    for tried in drift.unproved:
        lines += [f"unproved  {tried.case.id}", f"        {tried.verdict.evidence if tried.verdict else ''}"]
    for reason, number in Counter(tried.reason for tried in drift.not_run).items():
        lines.append(f"not run  {number} of the trials: {reason} (--json has them)")
    proved = len(drift.tried) - len(drift.unproved) - len(drift.not_run)
    lines.append(
        f"{proved} trials: {len(drift.differences)} differ; single changes of the documents that are excluded:"
        f" {drift.excluded}" + f", that no trial can show: {drift.beyond}" * bool(drift.beyond)
    )
    return lines


def _stayed(drift: Drift) -> list[str]:
    lines = _first([one.text for one in drift.found(Discrepancy.STAYED)])
    if lines:
        lines.insert(0, "stayed  neither hung up on nor seen to be allowed")
    for packets, count in drift.never_hung_up.items():
        lines.append(
            f"this cloud hung up on none of {count} {packets} that the documents refuse; AWS IoT ends the connection:"
        )
        lines.append("        it refuses in another way, or allows what nobody can see; no statement explains that")
    return lines


def _group(group: tuple[Mutant, ...]) -> list[str]:
    return ["perhaps" + (" one of" if len(group) > 1 else ""), *_first(group)]


def _first(entries: Sequence[object]) -> list[str]:
    more = [f"        and {len(entries) - _SHOWN} more (--json)"] if len(entries) > _SHOWN else []
    return [*(f"        {one}" for one in entries[:_SHOWN]), *more]


def _difference(one: Deviation) -> dict[str, Any]:
    return {"statement": one.statement, "text": one.text, "trial": one.tried.case.id}


def _tried(one: TriedCase) -> dict[str, Any]:
    verdict = one.verdict
    return describe_case(one.case) | {
        "found": None if verdict is None else verdict.outcome,
        "differs": one.differs,
        "evidence": one.reason if verdict is None else verdict.evidence,
    }
