"""Local training: loss, gradient, update, evaluation, and the backends that train many clients."""

from sparring.training.allocator import keep_freed_memory, release_freed_memory
from sparring.training.backends import BACKENDS, Auto, Batched, Sequential, Threaded
from sparring.training.curvature import LinearSolution, conjugate_gradients, hessian_product
from sparring.training.evaluation import Evaluation, evaluate, mean_loss
from sparring.training.gradients import gradient, gradient_function, loss, summed_gradient
from sparring.training.local import local_update
from sparring.training.mixed_derivative import check_twice_differentiable, mixed_gradient
from sparring.training.objectives import Conversion, CrossEntropy, Evasion, Hinge, SquaredError
from sparring.training.optimizers import OPTIMIZERS, Adam, Optimizer, OptimizerState, Sgd
from sparring.training.processes import follow_parent
from sparring.training.reasoning import Reasoning, Utility, estimate_m, number_of_steps, step_size

__all__ = [
    "BACKENDS",
    "OPTIMIZERS",
    "Adam",
    "Auto",
    "Batched",
    "Conversion",
    "CrossEntropy",
    "Evaluation",
    "Evasion",
    "Hinge",
    "LinearSolution",
    "Optimizer",
    "OptimizerState",
    "Reasoning",
    "Sequential",
    "Sgd",
    "SquaredError",
    "Threaded",
    "Utility",
    "check_twice_differentiable",
    "conjugate_gradients",
    "estimate_m",
    "evaluate",
    "follow_parent",
    "gradient",
    "gradient_function",
    "hessian_product",
    "keep_freed_memory",
    "local_update",
    "loss",
    "mean_loss",
    "mixed_gradient",
    "number_of_steps",
    "release_freed_memory",
    "step_size",
    "summed_gradient",
]
