"""Train the same federation with the mean and with the median, without an attack and under two attacks.

python examples/rule_against_attacks.py
"""

from sparring.attacks import InnerProduct, SignFlip
from sparring.data import LabelSkew, divide, load
from sparring.defenses import Mean, Median
from sparring.federation import Attacker, Federation, Scenario, train
from sparring.models import Logistic, network

CLIENTS, MALICIOUS, ROUNDS = 50, 10, 40
RULES = {"mean": Mean(), "median": Median()}
ATTACKS = {"no attack": None, "inner product": InnerProduct(scale=5.0), "sign flip": SignFlip()}


def accuracies(rounds: int = ROUNDS) -> dict[tuple[str, str], float]:
    """Return the test accuracy of each rule under each attack."""
    data = load("digits")
    shards = divide(data.train, LabelSkew(q=0.5), clients=CLIENTS, seed=0)
    federation = Federation(network=network(Logistic(), data), shards=shards, test=data.test)
    return {
        (rule, attack): train(
            Scenario(federation, RULES[rule], [Attacker(MALICIOUS, attack=player)] if player else []), rounds=rounds
        ).accuracy
        for rule in RULES
        for attack, player in ATTACKS.items()
    }


def main() -> None:
    """Print the accuracies."""
    for (rule, attack), accuracy in accuracies().items():
        print(f"{rule:<8} {attack:<15} {accuracy:.1%}")


if __name__ == "__main__":
    main()
