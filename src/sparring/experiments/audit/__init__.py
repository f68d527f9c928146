"""Audits: how much accuracy does a rule lose under an adaptive attacker?"""

from sparring.experiments.audit.audit_folder import read_audit
from sparring.experiments.audit.budget import AuditPlan, read_budget
from sparring.experiments.audit.request import AuditRequest, read_request
from sparring.experiments.audit.result import Audit
from sparring.experiments.audit.run_audit import audit
from sparring.experiments.audit.training import train_attack

__all__ = ["Audit", "AuditPlan", "AuditRequest", "audit", "read_audit", "read_budget", "read_request", "train_attack"]
