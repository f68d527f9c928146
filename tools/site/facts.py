"""What no docstring says in a form that a table can use: what each attack and rule costs, and what a rule counts on."""

from collections.abc import Mapping
from typing import NamedTuple


class RuleFacts(NamedTuple):
    """The operations that one round takes, and what must hold for the rule to do what it is for."""

    cost: str
    assumes: str


ATTACK_COSTS: Mapping[str, str] = {
    "adaptive_lmp": "n·d; n²·d against rules that choose by distance",
    "alie": "n·d",
    "bfl": "the images of a batch; f·d",
    "dba": "the images of a batch",
    "eb": "f gradients a step",
    "gaussian": "f·d",
    "ipm": "n·d",
    "label_flip": "the labels of a batch",
    "learned": "the policy, and its local search",
    "lmp": "n·d; n²·d against rules that choose by distance",
    "local_search": "a gradient for each step of each search",
    "mimic": "n²·d + n³",
    "min_max": "n²·d",
    "min_sum": "n·d",
    "neurotoxin": "the images of a batch; d·log d, and d a step",
    "none": "nothing",
    "pgd": "the images of a batch; d a step",
    "sign_flip": "f·d",
    "targeted_eb": "f gradients a step",
    "worst_of": "a round of the rule for each factor that is tried",
}
"""What crafting takes beside the malicious clients' training: n updates of d parameters, f of them malicious."""

CLOSE = "benign updates that lie close together"
BOUND = "a bound that benign updates mostly keep to"

RULE_FACTS: Mapping[str, RuleFacts] = {
    "bucketing": RuleFacts("n·d, and the inner rule on n/s rows", "so few malicious rows that most buckets have none"),
    "bulyan": RuleFacts("n²·d + n³", f"n ≥ 4f + 3; {CLOSE}"),
    "centered_clipping": RuleFacts("T·n·d", "a benign majority; aggregates that change little from round to round"),
    "clipped": RuleFacts("n·d, and the inner rule", f"{BOUND}; what the inner rule assumes"),
    "clipped_trimmed_mean": RuleFacts("n·d·log n", f"no more malicious rows than are trimmed on a side; {BOUND}"),
    "clipping_median": RuleFacts("n·d·log n", f"a benign majority; {BOUND}"),
    "crfl": RuleFacts("d, and the inner rule", "models that are useful at a small norm; what the inner rule assumes"),
    "dnc": RuleFacts("n·d + T·(n²·b + n³)", "a benign majority; malicious rows that shift the mean in one direction"),
    "flame": RuleFacts("n²·d", "a benign majority whose models point alike"),
    "fltrust": RuleFacts("n·d, and training on the root data", "root data like the clients' own; no benign majority"),
    "foolsgold": RuleFacts("N²·d", "several malicious clients whose updates are more alike than those of benign ones"),
    "geometric_median": RuleFacts("n²·d + T·n²", "a benign majority"),
    "krum": RuleFacts("n²·d", f"n ≥ 2f + 3; {CLOSE}"),
    "mean": RuleFacts("n·d", "no malicious row at all"),
    "median": RuleFacts("n·d·log n", "a benign majority; benign values that differ little on each coordinate"),
    "multi_krum": RuleFacts("n²·d", f"n ≥ 2f + 3; {CLOSE}"),
    "nearest_neighbor_mixing": RuleFacts("n²·d, and the inner rule", "a benign majority; what the inner rule assumes"),
    "norm_bounding": RuleFacts("n·d", f"few malicious rows; {BOUND}"),
    "safeguard": RuleFacts("n²·d", "a benign majority whose updates add up alike over many rounds"),
    "signguard": RuleFacts("n·d", "a benign majority with like norms and like shares of signs"),
    "trimmed_mean": RuleFacts("n·d·log n", "at most f malicious rows, a minority"),
    "weak_differential_privacy": RuleFacts("n·d", f"few malicious rows; {BOUND}; a model that bears the noise"),
}
"""T is a number of iterations, N that of all clients seen so far, s a bucket's size, b the coordinates looked at."""
