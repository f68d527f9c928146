"""Keeping memory, in a process of its own: the setting cannot be taken back."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, torch
from sparring.training import keep_freed_memory

def faults(rounds=20):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.ones(16_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

given_back = faults()
assert keep_freed_memory()
faults()
print(given_back, faults())
"""

RELEASING = """
import torch
from sparring.training import keep_freed_memory, release_freed_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

assert keep_freed_memory()
before = resident()
torch.ones(64_000_000)
kept = resident() - before
release_freed_memory()
print(kept, resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has the setting")
def test_freed_memory_is_not_mapped_again():
    answer = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    given_back, kept = map(int, answer.split())
    assert kept < given_back / 10


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has the setting")
def test_kept_memory_can_be_given_back():
    answer = subprocess.run([sys.executable, "-c", RELEASING], capture_output=True, text=True, check=True).stdout
    kept, released = map(int, answer.split())
    assert released < kept / 10
