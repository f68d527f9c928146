"""`make bench`: print every table."""

from benchmarks import (
    games,
    hardening,
    inversion,
    recursive,
    reinforcement,
    rounds,
    rules,
    starting,
    sweeps,
    teams,
    worlds,
)

if __name__ == "__main__":
    starting.main()
    rounds.main()
    rules.main()
    sweeps.main()
    games.main()
    worlds.main()
    reinforcement.main()
    teams.main()
    inversion.main()
    hardening.main()
    recursive.main()
