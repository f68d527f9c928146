"""Small defender's policies."""

from sparring.defenses import DefenseActions, defense_policy
from sparring.policies import PolicyVersion, save_policy
from tests.attacks.learned.policies import constant


def defender(*action, inputs, acting=None, layers=1):
    """Return a defender whose action is always the same."""
    meaning = DefenseActions(repair="none" if len(action) == 2 else "neuroclip") if acting is None else acting
    return defense_policy([PolicyVersion(0, constant(*action, inputs=inputs))], meaning, layers=layers)


def written(path, *action, inputs, **settings):
    """Save a defender, and return its path."""
    save_policy(path, defender(*action, inputs=inputs, **settings))
    return str(path)
