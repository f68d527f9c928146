"""Attacks that a policy plays which was trained beforehand."""
