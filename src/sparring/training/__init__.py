"""Local training: loss, gradient, update, evaluation, and the backends that train many clients."""

from sparring.training.allocator import keep_freed_memory, release_freed_memory
from sparring.training.backends import BACKENDS, Auto, Batched, Sequential, Threaded
from sparring.training.evaluation import Evaluation, evaluate, mean_loss
from sparring.training.gradients import gradient, gradient_function, loss, summed_gradient
from sparring.training.local import local_update
from sparring.training.objectives import Conversion, CrossEntropy, Evasion, Hinge, SquaredError
from sparring.training.optimizers import OPTIMIZERS, Adam, Optimizer, OptimizerState, Sgd
from sparring.training.processes import follow_parent

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
    "Optimizer",
    "OptimizerState",
    "Sequential",
    "Sgd",
    "SquaredError",
    "Threaded",
    "evaluate",
    "follow_parent",
    "gradient",
    "gradient_function",
    "keep_freed_memory",
    "local_update",
    "loss",
    "mean_loss",
    "release_freed_memory",
    "summed_gradient",
]
