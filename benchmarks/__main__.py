"""`make bench`: print every table."""

from benchmarks import rounds, rules, sweeps

if __name__ == "__main__":
    rounds.main()
    rules.main()
    sweeps.main()
