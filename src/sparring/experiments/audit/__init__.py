"""What is the worst that an adaptive attacker does to a rule?"""

from sparring.experiments.audit.audit import audit
from sparring.experiments.audit.effort import Effort, read_budget
from sparring.experiments.audit.outcome import Audit
from sparring.experiments.audit.reading import read_audit
from sparring.experiments.audit.request import Request, read_request
from sparring.experiments.audit.training import train_attack

__all__ = ["Audit", "Effort", "Request", "audit", "read_audit", "read_budget", "read_request", "train_attack"]
