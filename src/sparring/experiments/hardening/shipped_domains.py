"""The attack domains that a configuration can name.

Table 3 of MSG has `meta_rl`, `meta_sg` and `meta_sg+`; their shares of malicious clients and their settings are those
of its main text. Appendix D has `counts` and `skew`.
"""

from collections.abc import Mapping

from sparring.experiments.config.sections import Section

LMP: Section = {"name": "lmp", "share": 0.1}
FIXED: Mapping[str, Section] = {
    "none": {},
    "ipm": {"attack": {"name": "ipm", "scale": 2.0, "share": 0.1}},
    "lmp": {"attack": LMP},
    "bfl": {"attack": {"name": "bfl", "ratio": 1.0, "share": 0.05}},
    "dba": {"attack": {"name": "dba", "ratio": 0.5, "share": 0.2}},
}
TARGETS: Mapping[str, Section] = {
    "FedAvg": {"defense": "mean"},
    "ClipMed": {"defense": {"name": "clipping_median", "max_norm": 1.0}},
    "Krum": {"defense": "krum"},
    "FLTrust + NeuroClip": {"defense": "fltrust", "post_training": "neuroclip"},
}
"""What the followers of table 3 are trained against before."""
ADAPTIVE: Mapping[str, Section] = {
    f"{label} on {target}": {"follower": {"acting": acting, "share": share, "against": against}}
    for label, acting, share in (("rl", "local_search", 0.1), ("brl", "poisoned_search", 0.05))
    for target, against in TARGETS.items()
}

IPM: Section = {"name": "ipm", "scale": 5.0, "share": 0.2}
BFL: Section = {"name": "bfl", "ratio": 0.5, "share": 0.1, "local_steps": 16}

SHIPPED: Mapping[str, Mapping[str, Section]] = {
    "harden": {
        "none": {},
        "ipm": {"attack": IPM},
        "lmp": {"attack": {"name": "lmp", "share": 0.2}},
        "bfl": {"attack": BFL},
        "ipm+bfl": {"attacks": [IPM, BFL]},
        "local_search": {"attack": {"name": "local_search", "share": 0.2}},
    },
    "none": {"none": {}},
    "meta_rl": FIXED,
    "meta_sg": ADAPTIVE,
    "meta_sg+": {**FIXED, **ADAPTIVE},
    "counts": {f"lmp by {percent} %": {"attack": {**LMP, "share": percent / 100}} for percent in range(5, 55, 5)},
    "skew": {
        f"lmp at q = {tenths / 10}": {
            "attack": LMP,
            "data": {"partition": {"name": "label_skew", "q": tenths / 10}},
        }
        for tenths in range(1, 11)
    },
}
"""The types of each domain by name: `harden` is the default."""
DEFAULT = "harden"
