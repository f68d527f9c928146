"""Reports of a sweep: tables, and an HTML page with the threat model, the results and the commands to repeat it."""

from sparring.experiments.report.html_page import render_page
from sparring.experiments.report.paired_tables import make_paired_tables
from sparring.experiments.report.score_tables import make_score_tables
from sparring.experiments.report.study import Study, read_study

__all__ = ["Study", "make_paired_tables", "make_score_tables", "read_study", "render_page"]
