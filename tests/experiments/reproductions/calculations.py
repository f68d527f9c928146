"""A calculation that counts."""

from sparring.experiments.analysis.claims import Claim, Judgment
from sparring.experiments.analysis.text_tables import Table
from sparring.experiments.reproductions.computed_claim import ComputedClaim


def counting(asked: list[int] | None = None, stop_at: int | None = None) -> ComputedClaim:
    """Return a calculation of two parts with two cases each; `asked` hears of each part that is calculated."""

    def calculate(scale, part):
        if asked is not None:
            asked.append(part["seed"])
        if part["seed"] == stop_at:
            raise KeyboardInterrupt
        return tuple({"case": case, "value": 10 * part["seed"] + case} for case in (0, 1))

    return ComputedClaim(
        id="counting",
        title="a calculation",
        source="nobody",
        differences={"smoke": ("It shows nothing.",)},
        parts=lambda scale: ({"seed": 0}, {"seed": 1}),
        calculate=calculate,
        tables=lambda rows: [Table("values", ("value",), tuple((str(row["value"]),) for row in rows))],
        judge=lambda scale, rows: (Judgment(Claim("It counts."), "holds"),),
    )
