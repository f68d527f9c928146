"""What holds for every baseline attack on minibatches, and what each of them achieves by its own measure."""

import pytest
import torch
from safetensors.torch import load, save

from sparring.attacks import PERTURBATIONS, CarliniWagner, DeepConfuse, ErrorMinimizing, EvoShift, FgsmPgd, Noise, Yopo
from sparring.attacks.minibatch.ascent import stretch
from sparring.attacks.minibatch.carlini_wagner import margins
from sparring.attacks.minibatch.evo_shift import cross, draw_patterns, render
from sparring.attacks.minibatch.yopo import divide_model
from sparring.contracts import Preparing
from sparring.errors import ConfigError
from sparring.random import stream
from sparring.training.bounds import row_sizes
from tests.minibatches import examples, fitted, losses, preparation, trained, view

EPSILON = 0.8
EXAMPLES = {
    "cw": CarliniWagner,
    "deep_confuse": lambda **options: DeepConfuse(trials=1, steps=2, **options),
    "error_minimizing": ErrorMinimizing,
    "evo_shift": lambda **options: EvoShift(population=4, **options),
    "fgsm_pgd": FgsmPgd,
    "noise": Noise,
    "yopo": Yopo,
}
NAMES = sorted(EXAMPLES)


def start(attack):
    return attack.prepare(preparation()) if isinstance(attack, Preparing) else {}


def played(attack, *, rounds=3, seed=0):
    """Return the perturbed inputs and the memory after some rounds on the same minibatch."""
    memory = start(attack)
    at = view(seed=seed)
    for _ in range(rounds):
        inputs, memory = attack.perturb(at, memory)
    return inputs, memory


def test_every_attack_that_does_not_reason_has_an_example():
    reasoning = {"influence", "level_k", "none", "optimal_contraction"}
    assert EXAMPLES.keys() == PERTURBATIONS.keys() - reasoning


@pytest.mark.parametrize("name", NAMES)
class TestEveryBaseline:
    @pytest.mark.parametrize("norm", ["l2", "linf"])
    def test_perturbs_within_the_ball_and_the_range_of_pixels(self, name, norm):
        epsilon = EPSILON if norm == "l2" else 0.1
        inputs, _ = played(EXAMPLES[name](epsilon=epsilon, norm=norm))
        sizes = row_sizes(inputs - view().batch.inputs, norm)
        assert sizes.max() <= epsilon * (1 + 1e-5)
        assert sizes.max() > 0
        assert inputs.min() >= 0
        assert inputs.max() <= 1
        assert inputs.dtype == torch.float32
        assert not inputs.requires_grad

    def test_leaves_the_minibatch_and_the_model_alone(self, name):
        attack, at = EXAMPLES[name](epsilon=EPSILON), view()
        copies = [tensor.clone() for tensor in (*at.batch, at.parameters)]
        memory = start(attack)
        kept = {key: tensor.clone() for key, tensor in memory.items()}
        attack.perturb(at, memory)
        assert all(map(torch.equal, copies, (*at.batch, at.parameters)))
        assert all(torch.equal(kept[key], memory[key]) for key in kept)

    def test_repeats_itself_under_one_generator(self, name):
        (one, memory), (other, again) = (played(EXAMPLES[name](epsilon=EPSILON)) for _ in range(2))
        assert torch.equal(one, other)
        assert memory.keys() == again.keys()
        assert all(torch.equal(memory[key], again[key]) for key in memory)

    def test_does_not_touch_the_global_generator(self, name):
        before = torch.random.get_rng_state()
        played(EXAMPLES[name](epsilon=EPSILON), rounds=1)
        assert torch.equal(before, torch.random.get_rng_state())

    def test_continues_from_a_memory_that_was_stored(self, name):
        attack = EXAMPLES[name](epsilon=EPSILON)
        _, memory = played(attack)
        assert all(torch.isfinite(tensor).all() for tensor in memory.values())
        stored = load(save(dict(memory)))
        (one, after), (other, again) = (attack.perturb(view(seed=7), state) for state in (memory, stored))
        assert torch.equal(one, other)
        assert all(torch.equal(after[key], again[key]) for key in after)

    def test_answers_a_diverged_model_with_finite_pixels(self, name):
        attack, at = EXAMPLES[name](epsilon=EPSILON), view(parameters=torch.full_like(trained(), torch.nan))
        inputs, memory = attack.perturb(at, start(attack))
        assert torch.isfinite(inputs).all()
        assert all(torch.isfinite(tensor).all() for tensor in memory.values())

    @pytest.mark.parametrize("epsilon", [0.0, -1.0, float("inf"), float("nan")])
    def test_names_a_bound_that_is_none(self, name, epsilon):
        with pytest.raises(ConfigError, match=f"^{name}: epsilon={epsilon}; use a finite epsilon > 0$"):
            EXAMPLES[name](epsilon=epsilon)

    def test_names_an_unknown_norm(self, name):
        with pytest.raises(ConfigError, match=f"^{name}: norm='l1'; use 'l2' or 'linf'$"):
            EXAMPLES[name](norm="l1")


@pytest.mark.parametrize("name", ["cw", "error_minimizing", "fgsm_pgd", "yopo"])
def test_gradient_attacks_also_work_on_convolutions(name):
    at = view(name="lenet")
    inputs, _ = EXAMPLES[name](epsilon=EPSILON).perturb(at, {})
    assert (row_sizes(inputs - at.batch.inputs).flatten() > 0).float().mean() > 0.5


class TestNoise:
    def test_is_drawn_again_in_each_round(self):
        at = view()
        one, other = (Noise(epsilon=EPSILON).perturb(at, {})[0] for _ in range(2))
        assert not torch.equal(one, other)

    def test_has_full_length_where_pixels_allow_it(self):
        gray = examples(0, 40)._replace(inputs=torch.full((40, 1, 12, 12), 0.5))
        inputs, _ = Noise(epsilon=EPSILON).perturb(view(batch=gray), {})
        assert row_sizes(inputs - 0.5).flatten().tolist() == pytest.approx([EPSILON] * 40, rel=1e-5)


class TestGradientSteps:
    @pytest.mark.parametrize("climbs_in", ["l2", "linf"])
    @pytest.mark.parametrize(("norm", "epsilon"), [("l2", EPSILON), ("linf", 0.08)])
    def test_fgsm_pgd_raises_the_loss_more_than_noise_and_than_one_step(self, climbs_in, norm, epsilon):
        at = view()

        def raised(attack):
            return losses(at, attack.perturb(at, {})[0]).mean()

        full = raised(FgsmPgd(epsilon=epsilon, norm=norm, climbs_in=climbs_in))
        assert full > raised(Noise(epsilon=epsilon, norm=norm)) + 0.5
        assert full >= raised(FgsmPgd(epsilon=epsilon, norm=norm, climbs_in=climbs_in, steps=1)) - 1e-3

    def test_error_minimizing_lowers_the_loss_of_almost_all_examples(self):
        at = view()
        before, after = losses(at, at.batch.inputs), losses(at, ErrorMinimizing(epsilon=EPSILON).perturb(at, {})[0])
        assert (after < before).float().mean() > 0.95
        assert after.mean() < 0.3 * before.mean()

    def test_cw_lowers_the_margin_of_every_example_until_most_are_wrong(self):
        at = view()
        tensors = at.network.split(at.parameters)
        before, after = (
            margins(at.network.forward(tensors, inputs), at.batch.labels)
            for inputs in (at.batch.inputs, CarliniWagner(epsilon=1.2).perturb(at, {})[0])
        )
        assert (after[before > 0] < before[before > 0]).all()
        assert (before > 0).float().mean() > 0.8
        assert (after > 0).float().mean() < 0.3

    def test_cw_leaves_examples_alone_that_are_wrong_by_its_confidence(self):
        at = view()
        logits = at.network.forward(at.network.split(at.parameters), at.batch.inputs)
        wrong = margins(logits, at.batch.labels) < 0
        moved = {
            kappa: row_sizes(CarliniWagner(epsilon=EPSILON, confidence=kappa).perturb(at, {})[0] - at.batch.inputs)
            for kappa in (0.0, 50.0)
        }
        assert wrong.any()
        assert not moved[0.0].flatten()[wrong].any()
        assert moved[50.0].flatten()[wrong].all()

    def test_a_margin_compares_with_the_best_other_class(self):
        logits = torch.tensor([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
        assert margins(logits, torch.tensor([0, 1])).tolist() == [1.0, -2.0]

    def test_a_perturbation_is_stretched_to_the_bound_unless_it_is_zero(self):
        inputs = torch.full((2, 1, 1, 2), 0.5)
        moved = inputs + torch.tensor([[[[0.03, 0.04]]], [[[0.0, 0.0]]]])
        stretched = stretch(inputs, moved, epsilon=0.1, norm="l2") - inputs
        torch.testing.assert_close(stretched.flatten(1), torch.tensor([[0.06, 0.08], [0.0, 0.0]]))


class TestYopo:
    @pytest.mark.parametrize("name", ["mlp", "lenet"])
    def test_a_model_in_two_parts_is_the_model(self, name):
        own, parameters, inputs = fitted(name), trained(name), examples(0, 5).inputs
        model = divide_model(own, parameters)
        torch.testing.assert_close(model.rest(model.first(inputs)), own.forward(own.split(parameters), inputs))

    def test_raises_the_loss_about_as_much_as_steps_through_the_whole_model(self):
        at = view()
        before = losses(at, at.batch.inputs).mean()
        yopo = losses(at, Yopo(epsilon=EPSILON).perturb(at, {})[0]).mean() - before
        whole = losses(at, FgsmPgd(epsilon=EPSILON, climbs_in="l2").perturb(at, {})[0]).mean() - before
        assert yopo > 0.8 * whole > 0.5

    def test_one_inner_step_is_a_step_along_the_gradient(self):
        at = view()
        one, other = (
            attack.perturb(at, {})[0]
            for attack in (Yopo(epsilon=EPSILON, outer=3, inner=1), FgsmPgd(epsilon=EPSILON, steps=3, climbs_in="l2"))
        )
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)

    def test_needs_a_chain_of_layers(self):
        with pytest.raises(ConfigError, match=r"^yopo: the model is a int; use a chain of layers, as torch.nn.Sequent"):
            divide_model(3, trained())


class TestDeepConfuse:
    def spoiled(self, attack, memory, *, rounds=60):
        """Return the clean loss of a new model after a training on perturbed minibatches."""
        own = fitted()
        leaves = [piece.clone().requires_grad_() for piece in own.split(own.initial(stream(5, "victim")))]
        learner = torch.optim.Adam(leaves, lr=1e-2)
        for step in range(rounds):
            at = view(batch=examples(40 * (step % 10), 40))
            inputs, _ = attack.perturb(at, memory)
            logits = own.forward(leaves, inputs)
            learner.zero_grad()
            at.objective.losses(logits, at.batch._replace(inputs=inputs)).mean().backward(inputs=leaves)
            learner.step()
        at = view(batch=examples(900, 100), parameters=torch.cat([leaf.detach().flatten() for leaf in leaves]))
        return losses(at, at.batch.inputs).mean()

    def test_training_the_autoencoder_spoils_a_training_more_than_a_random_one(self):
        attack = DeepConfuse(epsilon=1.5, trials=6, steps=30, lr=3e-3)
        prepared = attack.prepare(preparation())
        untrained = DeepConfuse(epsilon=1.5, trials=1, steps=1, lr=1e-9).prepare(preparation())
        assert self.spoiled(attack, prepared) > 1.5 * self.spoiled(attack, untrained)

    def test_simulates_the_learners_optimizer(self):
        attack = DeepConfuse(trials=1, steps=3)
        adam, sgd = (attack.prepare(preparation(optimizer=optimizer)) for optimizer in ("adam", "sgd"))
        assert any(not torch.equal(adam[name], sgd[name]) for name in adam)

    def test_must_be_prepared_and_have_training_examples(self):
        with pytest.raises(ConfigError, match="^deep_confuse: its autoencoder is not trained; call prepare"):
            DeepConfuse().perturb(view(), {})
        with pytest.raises(ConfigError, match="^deep_confuse: there are no training examples"):
            DeepConfuse().prepare(preparation(train=None))

    def test_needs_images(self):
        vectors = examples(0, 40)._replace(inputs=torch.zeros(40, 9))
        with pytest.raises(ConfigError, match=r"^deep_confuse: inputs of shape \[9\]; use images"):
            DeepConfuse().prepare(preparation(train=vectors))


class TestEvoShift:
    def test_evolution_beats_as_many_random_patterns(self):
        attack = EvoShift(epsilon=1.5, population=10)
        _, memory = played(attack, rounds=80)
        evolved = attack.fitness(view(), memory["patterns"]).amax(dim=0)
        drawn = draw_patterns(10 * 81, 10, pixels=5, channels=1, rng=stream(1, "random"))
        assert evolved.mean() > attack.fitness(view(), drawn).amax(dim=0).mean() + 0.1

    def test_no_class_loses_fitness_on_the_same_minibatch(self):
        attack = EvoShift(epsilon=1.5, population=4)
        memories = [played(attack, rounds=rounds)[1]["patterns"] for rounds in (1, 4)]
        first, later = (attack.fitness(view(), patterns) for patterns in memories)
        assert (later >= first).all()

    def test_changes_at_most_the_stated_pixels_and_the_same_ones_for_a_class(self):
        inputs, _ = played(EvoShift(epsilon=EPSILON, pixels=3, population=4))
        at = view(batch=examples(0, 40)._replace(inputs=torch.full((40, 1, 12, 12), 0.5)))
        _, memory = played(EvoShift(epsilon=EPSILON, pixels=3, population=4))
        inputs, _ = EvoShift(epsilon=EPSILON, pixels=3, population=4).perturb(at, memory)
        changed = (inputs != 0.5).flatten(1)
        assert changed.sum(dim=1).max() <= 3
        assert changed.any(dim=1).all()
        for label in range(10):
            rows = inputs[at.batch.labels == label]
            assert torch.equal(rows, rows[:1].expand_as(rows))

    def test_a_class_without_examples_keeps_its_patterns(self):
        attack = EvoShift(population=4)
        _, memory = played(attack, rounds=1)
        only = examples(0, 40)
        only = only._replace(labels=torch.zeros_like(only.labels))
        _, after = attack.perturb(view(batch=only), memory)
        assert torch.equal(after["patterns"][:, 1:], memory["patterns"][:, 1:])

    def test_a_pattern_is_drawn_where_it_says(self):
        pattern = torch.tensor([[[0.0, 0.99, 0.7], [0.5, 0.5, -0.2]]])
        image = render(pattern, (1, 4, 4))
        assert image[0, 0, 0, 3] == pytest.approx(0.7)
        assert image[0, 0, 2, 2] == pytest.approx(-0.2)
        assert image.abs().sum() == pytest.approx(0.9)

    def test_children_stay_within_the_image_and_the_range(self):
        rng = stream(0, "cross")
        patterns = draw_patterns(5, 3, pixels=2, channels=3, rng=rng)
        children = cross(patterns, factor=2.0, rng=rng)
        assert children.shape == patterns.shape
        assert not torch.equal(children, patterns)
        assert (children[..., :2] >= 0).all()
        assert (children[..., :2] <= 1).all()
        assert children[..., 2:].abs().max() <= 1

    def test_needs_enough_patterns_to_cross(self):
        with pytest.raises(ConfigError, match="^evo_shift: population=3; use population >= 4$"):
            EvoShift(population=3)
