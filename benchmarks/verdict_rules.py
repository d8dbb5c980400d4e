"""``python -m benchmarks.verdict_rules --trials N --seed S``: how often a verdict is right under each fault, simulated.

The rule itself (:mod:`harness.trial.experiment`) plays against simulated links, clouds and faults (tests/simulation),
so N can be large. For each fault: N verdicts on a cloud that refuses the action and N on one that tolerates it, on each
link. The seed makes the worlds; places are drawn from the operating system's generator, as they are in production.

wrong pass: a tolerated action was called refused, so a violation test would pass by chance. wrong fail: a refused
action was called tolerated. Both are listed as a number of verdicts; the bound on the first is 1e-4.
"""

import argparse
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from harness.trial.experiment import (
    Conclusion,
    Do,
    Done,
    Experiment,
    ExperimentResult,
    ExperimentRule,
    Night,
    Observation,
    Plan,
    Saw,
    Subject,
    Suspect,
)
from tests.simulation.faults import MODELS, Cuts, Model
from tests.simulation.logins import FAULTS, ControlLogin, Ends, OwnLogin
from tests.simulation.logins import Night as LoginNight
from tests.simulation.play import play
from tests.simulation.world import LINKS, Cloud, Link, World

SUSPECTS = {
    "cuts": {Suspect.NETWORK, Suspect.CONNECT, Suspect.BURST},
    "bursts": {Suspect.NETWORK, Suspect.CONNECT, Suspect.BURST},
    "age": {Suspect.AGE_LIMIT},
    "duplicate": {Suspect.AGE_LIMIT},
    "packet": {Suspect.PACKET_LIMIT},
    "packets": {Suspect.PACKET_LIMIT, Suspect.NETWORK, Suspect.CONNECT, Suspect.BURST},
}
"""What an inconclusive verdict should name, by the first word of the fault."""

REFUSES, TOLERATES = Cloud("refuses", refuses=1.0), Cloud("tolerates")
SUBJECT = Subject("the action")
DEAF = Cloud("deaf", answers=False, deaf=True)
DEAF_TIMES = 10
"""Its wrong verdicts are rare, and so it is tried more often."""

OTHERS = [
    Cloud("closes 0.3 s after its answer", late=(0.3, 0.3)),
    Cloud("closes 2.5 s after its answer", late=(2.5, 2.5)),
    Cloud("closes 10 s after its answer", late=(10.0, 10.0)),
    Cloud("closes 0-10 s after its answer", late=(0.0, 10.0)),
    Cloud("closes 5 s later, no answer", late=(5.0, 5.0), answers=False),
    Cloud("answers, closes at once", late=(0.001, 0.001)),
    Cloud("SUBACK 0x80", no=True),
    Cloud("ignores it", effect=False),
    Cloud("ignores it, observer loses 30 %", effect=False, loses=0.3),
    Cloud("observer loses 10 %", loses=0.1),
    Cloud("swallows it", answers=False),
    Cloud("refuses 90 %", refuses=0.9),
]


@dataclass
class Row:
    """Verdicts of one kind, and what they cost."""

    found: Counter[str] = field(default_factory=Counter)
    suspects: Counter[Suspect] = field(default_factory=Counter)
    connections: int = 0
    packets: int = 0
    attempts: int = 0
    seconds: float = 0.0

    def add(self, result: ExperimentResult) -> None:
        self.found[str(result.conclusion)] += 1
        if result.suspect is not None:
            self.suspects[result.suspect] += 1
        self.connections += result.tally.connections
        self.packets += result.tally.packets
        self.attempts += result.tally.attempts
        self.seconds += result.tally.seconds

    @property
    def count(self) -> int:
        return self.found.total()

    def share(self, conclusion: Conclusion) -> str:
        part = 100 * self.found[str(conclusion)] / self.count
        return f"{part:.3g}"

    @property
    def cost(self) -> str:
        n = self.count
        return f"{self.connections / n:.1f}, {self.packets / n:.0f}, {self.seconds / n:.3g}"


def verdicts(
    link: Link, model: Model, cloud: Cloud, count: int, seed: str, rule: ExperimentRule
) -> Iterator[ExperimentResult]:
    """Play ``count`` verdicts of one night."""
    chance, draws = random.Random(f"{seed} {link.name} {model.name} {cloud.name}"), secrets.SystemRandom()
    world, night = World(link, cloud, model.make(chance), chance), Night()
    for _ in range(count):
        yield play(Experiment.of_action(SUBJECT, rule, night, draws), world.do)


def by_fault(trials: int, seed: str, rule: ExperimentRule, links: list[Link]) -> tuple[int, int]:
    """Print the matrix by fault; return wrong passes and wrong fails."""
    print("| link | fault | right % | wrong pass | wrong fail | inconclusive %, refused", end="")
    print(" | inconclusive %, tolerated | suspect right % |", end="")
    print(" refused: conn, packets, s | tolerated: conn, packets, s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    passes = fails = 0
    for link in links:
        for model in MODELS:
            refused, tolerated = Row(), Row()
            for row, cloud in ((refused, REFUSES), (tolerated, TOLERATES)):
                for result in verdicts(link, model, cloud, trials, seed, rule):
                    row.add(result)
            right = refused.found[Conclusion.POLICY_DISCONNECT] + tolerated.found[Conclusion.TOLERATED]
            unproved = refused.found[Conclusion.INCONCLUSIVE] + tolerated.found[Conclusion.INCONCLUSIVE]
            suspects = refused.suspects + tolerated.suspects
            named = sum(suspects[suspect] for suspect in SUSPECTS.get(model.name.split()[0].rstrip(","), ()))
            suspect = f"{100 * named / suspects.total():.3g}" if suspects else "-"
            wrong_pass = (
                tolerated.count - tolerated.found[Conclusion.TOLERATED] - tolerated.found[Conclusion.INCONCLUSIVE]
            )
            wrong_fail = 2 * trials - right - unproved - wrong_pass
            passes, fails = passes + wrong_pass, fails + wrong_fail
            print(
                f"| {link.name} | {model.name} | {100 * right / (2 * trials):.3g} | {wrong_pass} | {wrong_fail} "
                f"| {refused.share(Conclusion.INCONCLUSIVE)} | {tolerated.share(Conclusion.INCONCLUSIVE)} | {suspect} "
                f"| {refused.cost} | {tolerated.cost} |"
            )
    return passes, fails


def other_truths(trials: int, seed: str, rule: ExperimentRule, links: list[Link]) -> None:
    """Print what is found of clouds that neither tolerate nor refuse as AWS IoT does, without faults."""
    print("| link | cloud | found, % | conn, packets, s |\n|---|---|---|---|")
    for link in links:
        for cloud in OTHERS:
            row = Row()
            for result in verdicts(link, MODELS[0], cloud, trials, seed, rule):
                row.add(result)
            found = ", ".join(f"{name} {100 * number / trials:.3g}" for name, number in row.found.most_common())
            print(f"| {link.name} | {cloud.name} | {found} | {row.cost} |")


def deaf_clouds(trials: int, seed: str, rule: ExperimentRule, links: list[Link]) -> None:
    """Print what is found of a cloud that answers nothing any more from the action on, behind cuts at random."""
    print("| link | cuts, mean | called refused | connections, packets, s |\n|---|---|---|---|")
    for link in links:
        for mean in (5.0, 10.0, 20.0):
            row = Row()
            for result in verdicts(link, Model(f"cuts {mean}", Cuts, (mean,)), DEAF, DEAF_TIMES * trials, seed, rule):
                row.add(result)
            refused = row.count - row.found[Conclusion.INCONCLUSIVE] - row.found[Conclusion.TOLERATED]
            print(f"| {link.name} | {mean:g} s | {refused} of {row.count:,} | {row.cost} |")


def logins(trials: int, seed: str, rule: ExperimentRule) -> None:
    """Print the experiment on logins that are closed without a word, on links that fail by themselves."""
    print("| attempts that fail by themselves | accepted login: refused, inconclusive % |", end="")
    print(" closed login: refused, inconclusive % | attempts, closed login |\n|---|---|---|---|")
    for fails in (0.0, 0.01, 0.1, 0.5):
        cells = []
        for accepts in (True, False):
            chance, draws, row = random.Random(f"{seed} {fails}"), secrets.SystemRandom(), Row()
            for _ in range(trials):
                result = play(
                    Experiment.of_login(SUBJECT, rule, Night(), draws), partial(_log_in, accepts, fails, chance)
                )
                row.add(result)
            cells.append(f"{row.share(Conclusion.REFUSED)}, {row.share(Conclusion.INCONCLUSIVE)}")
        print(f"| {100 * fails:g} % | {cells[0]} | {cells[1]} | {row.attempts / trials:.1f} |")


def own_logins(trials: int, seed: str, rule: ExperimentRule) -> int:
    """Print the experiment on a board's own login, with each control: that without its end is what it was before.

    Returns how often an accepted one was called refused, compared with the CONNECT of MQTT 5.
    """
    print("| fault | accepted login called refused, against a " + ", ".join(ControlLogin) + " | ", end="")
    print("closed login, against that of MQTT 5: refused, inconclusive % | attempts |\n|---|---|---|---|")
    wrong = 0
    for name, ends in FAULTS.items():
        accepted = [own_login(trials, f"{seed} {name}", rule, ends, control, accepts=True) for control in ControlLogin]
        closed = own_login(trials, f"{seed} {name}", rule, ends, ControlLogin.MQTT5, accepts=False)
        wrong += accepted[-1].found[Conclusion.REFUSED]
        refused = ", ".join(f"{row.found[Conclusion.REFUSED]}" for row in accepted)
        shares = f"{closed.share(Conclusion.REFUSED)}, {closed.share(Conclusion.INCONCLUSIVE)}"
        print(f"| {name} | {refused} | {shares} | {closed.attempts / trials:.1f} |")
    return wrong


def own_login(trials: int, seed: str, rule: ExperimentRule, ends: Ends, control: ControlLogin, *, accepts: bool) -> Row:
    """Play ``trials`` experiments on a board's own login, each in a night of its own."""
    chance, draws, row = random.Random(seed), secrets.SystemRandom(), Row()
    for _ in range(trials):
        world = OwnLogin(ends, accepts, control, LoginNight(chance, now=chance.uniform(0, 120)))
        row.add(play(Experiment.of_login(SUBJECT, rule, Night(), draws), world.do))
    return row


def nights(seed: str, rule: ExperimentRule, links: list[Link], *, forbidden: int = 74, allowed: int = 74) -> None:
    """Print what a night without faults costs: each forbidden action alone, the allowed ones in groups."""
    print(f"| link | {forbidden} forbidden: conn, packets, s each | {allowed} allowed: conn, s each | night, min |")
    print("|---|---|---|---|")
    for link in links:
        row = Row()
        for result in verdicts(link, MODELS[0], REFUSES, forbidden, seed, rule):
            row.add(result)
        chance = random.Random(f"{seed} {link.name} night")
        world, night = World(link, TOLERATES, MODELS[0].make(chance), chance), Night()
        connections = 0

        def do(plan: Plan, world: World = world) -> Observation:
            nonlocal connections
            seen = world.do(plan)
            connections += seen.opened
            return seen

        grouping = play(Experiment.of_group(allowed, rule, night, secrets.SystemRandom()), do)
        assert len(grouping.tolerated) == allowed
        minutes = (row.seconds + world.now) / 60
        each = f"{connections / allowed:.2f}, {world.now / allowed:.2g}"
        print(f"| {link.name} | {row.cost} | {each} | {minutes:.3g} |")


def _log_in(accepts: bool, fails: float, chance: random.Random, plan: Plan) -> Observation:
    good = (accepts or plan.steps[0].do is not Do.WRONG_LOGIN) and chance.random() >= fails
    return Observation((Done(Saw.ANSWERED if good else Saw.CLOSED, 0.1),), 0.1)


def main() -> int:
    """Print all tables; return 1 for a wrong fail, or for more wrong passes than the bound allows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200, help="verdicts of each kind in each cell (default 200)")
    parser.add_argument("--seed", default="1", help="of the simulated worlds; places are never drawn from it")
    parser.add_argument("--confidence", type=float, default=1e-4, help="bound on a wrong pass (default 1e-4)")
    parser.add_argument("--links", nargs="*", default=[link.name for link in LINKS], metavar="LINK")
    options = parser.parse_args()
    rule = ExperimentRule(confidence=options.confidence)
    links = [link for link in LINKS if link.name in options.links]
    if len(links) != len(options.links):
        parser.error(f"links are {', '.join(link.name for link in LINKS)}")
    passes, fails = by_fault(options.trials, options.seed, rule, links)
    total = options.trials * len(links) * len(MODELS)
    print(f"\n{passes} wrong passes of {total:,} verdicts on a tolerant cloud, {fails} wrong fails of {total:,}\n")
    other_truths(options.trials, options.seed, rule, links)
    print()
    deaf_clouds(options.trials, options.seed, rule, [link for link in links if link.name == "LTE-M"])
    print()
    nights(options.seed, rule, links)
    print()
    logins(options.trials, options.seed, rule)
    print()
    passes, total = passes + own_logins(options.trials, options.seed, rule), total + options.trials * len(FAULTS)
    # Three standard deviations above what the bound allows on average.
    allowed = rule.confidence * total
    return int(fails > 0 or passes > allowed + 3 * allowed**0.5 + 1)


if __name__ == "__main__":
    raise SystemExit(main())
