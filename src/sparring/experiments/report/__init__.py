"""What a sweep came to: tables, and one page that says what was played, how it ended and how to repeat it."""

from sparring.experiments.report.contrast_table import contrast_tables
from sparring.experiments.report.heat_table import heat_tables
from sparring.experiments.report.page import page
from sparring.experiments.report.reading import read_study
from sparring.experiments.report.study import Study

__all__ = ["Study", "contrast_tables", "heat_tables", "page", "read_study"]
