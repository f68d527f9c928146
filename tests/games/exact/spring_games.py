"""Springs with unequal stiffness, whose solutions are far from each other."""

from sparring.games.exact.springs import NoisySpring, Spring, Springs

STEP = 0.2
"""η, the step of adaptation."""


def pair(coupling):
    """Return two equally likely types that pull in opposite directions."""
    return Springs(
        (
            Spring(stiffness=1, rest=1, coupling=coupling, weight=0.5),
            Spring(stiffness=4, rest=-1, coupling=coupling, weight=0.5),
        )
    )


def noisy_pair(deviation, **options):
    """Return the two types, without a follower, as games of noisy pulls."""
    return [NoisySpring(spring=spring, deviation=deviation, **options) for spring in pair(0.0).types]
