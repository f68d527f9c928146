"""Constant defenses in simulated episodes of two lengths."""

from sparring.experiments.hardening.comparison import EpisodeScore
from studies import episode_lengths
from studies.episode_lengths import play, written

SMALL = {
    "data": {"name": "digits", "root_size": 30},
    "model": {"name": "logistic"},
    "federation": {"clients": 20, "sampled": 4, "rounds": 3, "local_steps": 1},
}


def test_every_rule_ends_in_episodes_of_each_length(monkeypatch):
    monkeypatch.setattr(episode_lengths, "IMAGES", 60)
    monkeypatch.setattr(episode_lengths, "RULES", dict(list(episode_lengths.RULES.items())[:2]))
    rows = list(play(SMALL, [1, 2], 1))
    assert [rounds for _, rounds, _ in rows] == [1, 2, 1, 2]
    assert list(dict.fromkeys(name for name, *_ in rows)) == list(episode_lengths.RULES)
    scores = [score for *_, found in rows for score in found]
    assert all(0 <= score.accuracy <= 1 and score.backdoor_accuracy is not None for score in scores)


def test_a_row_has_every_episode_and_the_mean_of_accuracy_minus_backdoor_accuracy():
    scores = [EpisodeScore(0.9, 0.1), EpisodeScore(0.8, 0.2)]
    assert written("rule", 5, scores) == "| rule | 5 | 0.90/0.10 0.80/0.20 | 0.70 |\n"
