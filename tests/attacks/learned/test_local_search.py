import pytest
import torch

from sparring.arrays import Batch
from sparring.attacks import LocalSearch
from sparring.attacks.learned.local_search import cosine_slope, draw_minibatches, draw_pooled
from sparring.conformance.adversary import RandomShards, attacker_view
from sparring.data import CommonShards
from sparring.errors import ConfigError
from sparring.random import stream
from sparring.training import gradient, loss
from tests.attacks.views import LOGISTIC

EXAMPLES = Batch(torch.rand(12, 3, generator=torch.Generator().manual_seed(0)), torch.arange(12) % 3)


def seen(examples=EXAMPLES, **changes):
    """Return a view in which all that there is to draw is the same few examples, over and over."""
    return attacker_view(shards=CommonShards(examples, 20), **changes)


def ascent(**settings):
    return LocalSearch(variant="ascent", **settings)


def one_example():
    """Return a view in which every minibatch is the same example, so that steps can be reckoned."""
    return seen(Batch(EXAMPLES.inputs[:1], EXAMPLES.labels[:1]))


def slope(parameters):
    return gradient(LOGISTIC, parameters, batch=Batch(EXAMPLES.inputs[:1], EXAMPLES.labels[:1]))


def test_an_ascent_submits_the_scaled_way_up():
    start = one_example().parameters
    first = start + 0.1 * slope(start)
    second = first + 0.1 * slope(first)
    rows = LocalSearch(scale=7.0, steps=2, variant="ascent").craft(one_example())
    torch.testing.assert_close(rows, (7 * (start - second)).expand(3, -1))


def test_a_reversed_descent_submits_the_reverse_of_the_scaled_way_down():
    start = one_example().parameters
    first = start - 0.1 * slope(start)
    second = first - 0.1 * slope(first)
    rows = LocalSearch(scale=7.0, steps=2, variant="reversed_descent").craft(one_example())
    torch.testing.assert_close(rows, (-7 * (start - second)).expand(3, -1))


def test_a_relative_scale_is_the_length_in_units_of_the_own_updates():
    view = seen()
    own = torch.linalg.vector_norm(view.own(), dim=1).median()
    rows = LocalSearch(scale=3.0, steps=2, relative=True).craft(seen())
    plain = LocalSearch(scale=3.0, steps=2).craft(seen())
    torch.testing.assert_close(torch.linalg.vector_norm(rows[0]), 3 * own)
    torch.testing.assert_close(torch.cosine_similarity(rows[0], plain[0], dim=0), torch.tensor(1.0))


def test_a_relative_search_that_goes_nowhere_submits_nothing():
    assert LocalSearch(scale=3.0, lr=1e-45, relative=True).craft(seen()).count_nonzero() == 0


def test_the_searches_have_a_rate_of_their_own():
    slow, fast = (LocalSearch(scale=1.0, steps=1, lr=lr).craft(one_example()) for lr in (0.1, 0.3))
    torch.testing.assert_close(fast, 3 * slow)


def test_the_server_that_applies_it_loses_more():
    shown = seen()
    before, after = (
        loss(LOGISTIC, shown.parameters - factor * ascent(steps=5, scale=2.0).craft(seen())[0], batch=EXAMPLES)
        for factor in (0, 1)
    )
    assert after > before


def test_several_searches_are_averaged():
    both = LocalSearch(scale=1.0, steps=2, searches=2).craft(seen())
    alone = LocalSearch(scale=1.0, steps=2).craft(seen())
    assert not torch.equal(both, alone)
    direction = torch.nn.functional.cosine_similarity(both[0], alone[0], dim=0)
    assert direction > 0.9


def test_the_slope_of_the_cosine_is_that_of_autograd():
    generator = torch.Generator().manual_seed(1)
    offset, direction = torch.randn(2, 6, generator=generator, dtype=torch.float64)
    leaf = offset.clone().requires_grad_()
    torch.nn.functional.cosine_similarity(leaf, direction, dim=0).backward()
    torch.testing.assert_close(cosine_slope(offset, direction), leaf.grad)


@pytest.mark.parametrize("place", [0, 1])
def test_where_there_is_no_angle_the_slope_of_the_cosine_is_zero(place):
    pair = [torch.ones(3), torch.ones(3)]
    pair[place] = torch.zeros(3)
    assert not cosine_slope(*pair).any()


def test_stealth_turns_the_update_towards_the_benign_direction():
    benign = gradient(LOGISTIC, seen().parameters, batch=EXAMPLES)
    cosines = [
        torch.nn.functional.cosine_similarity(ascent(steps=20, stealth=stealth).craft(seen())[0], benign, dim=0)
        for stealth in (0.0, 0.95)
    ]
    assert cosines[0] < 0 < cosines[1]


def test_stealth_alone_stays_at_the_global_model_where_there_is_no_angle():
    assert not ascent(stealth=1.0).craft(seen()).any()


def test_a_search_that_diverges_ends_at_its_last_finite_point_and_says_so():
    told = {}
    rows = ascent(steps=9, lr=3e38).craft(seen(note=told.__setitem__))
    assert torch.isfinite(rows).all()
    assert [*told["diverged"]] == [0, 1, 2]


def test_a_search_that_stays_finite_tells_nothing():
    told = {}
    LocalSearch().craft(seen(note=told.__setitem__))
    assert told == {}


def test_minibatches_are_drawn_from_all_sampled_malicious_clients():
    shown = attacker_view()
    held = torch.cat([shown.shards[client].inputs for client in shown.clients])
    (batch,) = draw_pooled(shown, steps=1, size=9)
    assert len(batch.labels) == 9
    owners = (batch.inputs[:, None] == held[None]).all(dim=2).nonzero()[:, 1] // 20
    assert set(owners.tolist()) == {0, 1, 2}


def test_a_search_that_takes_all_of_its_examples_in_each_step_descends_their_loss():
    start, everything = seen().parameters, Batch(*EXAMPLES)
    first = start - 0.1 * gradient(LOGISTIC, start, batch=everything)
    second = first - 0.1 * gradient(LOGISTIC, first, batch=everything)
    for attack in (LocalSearch(scale=7.0, steps=2, batch=12), LocalSearch(scale=7.0, steps=2, batch=12, shared=12)):
        torch.testing.assert_close(attack.craft(seen()), (-7 * (start - second)).expand(3, -1))


def test_shared_examples_are_those_of_clients_that_are_not_sampled_too():
    shown = attacker_view()
    shared = shown.shards.shared(5)[0]
    owners = [client for client in range(20) if (shown.shards[client].inputs[:, None] == shared.inputs).all(2).any()]
    assert owners == [0, 4, 8, 12, 16]
    expected = -3 * 0.1 * gradient(LOGISTIC, shown.parameters, batch=shared)
    rows = LocalSearch(scale=3.0, steps=1, batch=5, shared=5).craft(shown)
    torch.testing.assert_close(rows, expected.expand(3, -1))


def test_a_minibatch_of_the_search_s_own_size_repeats_no_example():
    labels = torch.arange(12)
    batches = list(draw_minibatches(Batch(EXAMPLES.inputs, labels), stream(0, "draw"), steps=20, size=5))
    assert [len(set(batch.labels.tolist())) for batch in batches] == [5] * 20
    assert {label for batch in batches for label in batch.labels.tolist()} == set(range(12))


def test_from_shards_of_their_own_as_many_are_drawn_as_the_search_wants():
    drawn_sizes = []

    class Counting(RandomShards):
        def draw(self, clients, rngs, *, steps, size):
            drawn_sizes.append((len(clients), steps, size))
            return super().draw(clients, rngs, steps=steps, size=size)

    for batch in (None, 30):
        LocalSearch(steps=4, batch=batch).craft(attacker_view(shards=Counting()))
    assert drawn_sizes == [(3, 4, 3), (3, 4, 10)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scale": -1.0}, "local_search.scale is -1.0; it must be at least 0 and finite"),
        ({"steps": 0}, "local_search.steps is 0; it must be at least 1"),
        ({"searches": 0}, "local_search.searches is 0; it must be at least 1"),
        ({"batch": 0}, "local_search.batch is 0; it must be at least 1"),
        ({"shared": 0}, "local_search.shared is 0; it must be at least 1"),
        ({"stealth": 1.5}, "local_search.stealth is 1.5; it must be from 0 to 1"),
        ({"variant": "descent"}, "local_search.variant is 'descent'; it must be ascent or reversed_descent"),
        (
            {"variant": "reversed_descent", "stealth": 0.5},
            "local_search.stealth is 0.5; reversed_descent has none, use ascent",
        ),
        ({"lr": 0.0}, "local_search.lr is 0.0; it must be positive and finite"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigError) as error:
        LocalSearch(**settings)
    assert str(error.value) == message
