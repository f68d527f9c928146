"""Pictures of attacks and rules: one round on a plane, drawn as it was played."""

from io import BytesIO
from math import pi
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke

from sparring.arrays import Matrix, Vector
from sparring.contracts import Attack, Defense, Poison
from sparring.federation import Attacker
from tools.site.plane import BENIGN, MALICIOUS, Server, attacked, server

BLUE, RED, GREEN, GRAY, PALE = "#0072B2", "#D55E00", "#009E73", "#6B6B6B", "#D8D8D8"
"""Okabe and Ito's first three, which the color-blind can tell apart; every kind of mark has its own shape as well."""
WIDTH, HEIGHT, DPI = 3.7, 4.2, 200
FRAME = (-3.5, 3.5)
"""What pictures of rules show of both parameters, the same for all."""
GRID = 25
"""Points a side at which the malicious updates are tried."""
FARTHEST = 1.0
"""The distance from the benign mean that has the darkest color."""
DOT, CROSS, DISC = 22.0, 60.0, 2600.0
"""Square points of an update, of a mean, and of the disc around an update that the rule follows all the way."""
FOLLOWED = 1e-3
"""The least influence that counts as one."""
KINDS = (("o", BLUE, slice(BENIGN), "benign"), ("^", RED, slice(BENIGN, None), "malicious"))


def draw_attack(attack: Attack | None, poison: Poison | None = None) -> bytes:
    """Draw where the malicious updates of a round are, and how far they take its mean."""
    sent = attacked(Attacker(MALICIOUS, attack, poison)).updates
    figure, axes = _plane()
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.1)
    for shape, color, rows, kind in KINDS:
        updates = sent[rows]
        name = f"{kind}, all in one place" if (updates == updates[0]).all() else kind
        _scatter(axes, updates, marker=shape, color=color, label=name, s=DOT, alpha=0.8)
    _mark_means(axes, sent[:BENIGN], sent.mean(dim=0), "mean of all")
    return _png(figure, axes)


def draw_influence(rule: Defense) -> bytes:
    """Draw whom the rule follows, and how far, in a round in which the malicious clients flip their signs."""
    played = server(rule)
    sent, influence = played.view.updates, played.influence()
    figure, axes = _framed()
    for shape, color, rows, kind in KINDS:
        updates, weights = sent[rows], influence[rows]
        heard = weights > FOLLOWED
        hollow = {"facecolors": "white", "edgecolors": color, "linewidths": 1.2}
        _scatter(axes, updates, marker="o", color=color, s=DISC * weights, alpha=0.22, linewidths=0)
        _scatter(axes, updates[heard], marker=shape, color=color, label=f"{kind}, followed", s=DOT)
        _scatter(axes, updates[~heard], marker=shape, label=f"{kind}, ignored", s=DOT, **hollow)
    _draw_bound(axes, played)
    _mark_means(axes, sent[:BENIGN], played.step(sent), "the rule's step")
    return _png(figure, axes)


def draw_reach(rule: Defense) -> bytes:
    """Draw, at each point of the plane, how far the rule's step errs if all malicious updates are there."""
    played, line = server(rule), torch.linspace(*FRAME, GRID)
    errors = played.errors(torch.cartesian_prod(line, line)).view(GRID, GRID)
    benign = played.view.updates[:BENIGN]
    figure, axes = _framed()
    colors: dict[str, Any] = {"cmap": "YlOrBr", "vmin": 0, "vmax": FARTHEST}
    drawn = axes.pcolormesh(line.numpy(), line.numpy(), errors.T.numpy(), shading="nearest", zorder=0.5, **colors)
    bar = figure.colorbar(drawn, ax=axes, location="bottom", extend="max", shrink=0.85, aspect=28)
    bar.set_label("distance of the rule's step from the benign mean", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    hollow = {"facecolors": "white", "edgecolors": BLUE, "linewidths": 1.2}
    _scatter(axes, benign, marker="o", label="benign", s=DOT, **hollow)
    _mark_means(axes, benign)
    return _png(figure, axes)


def _plane() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), layout=ConstrainedLayoutEngine())
    axes = figure.subplots()
    axes.axhline(0, color=PALE, linewidth=1, zorder=0)
    axes.axvline(0, color=PALE, linewidth=1, zorder=0)
    axes.tick_params(colors=GRAY, labelsize=8, length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("update of the first parameter", fontsize=9)
    axes.set_ylabel("update of the second parameter", fontsize=9)
    return figure, axes


def _framed() -> tuple[Figure, Axes]:
    figure, axes = _plane()
    axes.set(xlim=FRAME, ylim=FRAME, aspect="equal")
    return figure, axes


def _scatter(axes: Axes, points: Matrix, **style: Any) -> None:
    """Draw points, if there are any: an empty kind has no place in the legend."""
    if len(points):
        axes.scatter(points[:, 0], points[:, 1], zorder=2, **style)


def _mark_means(axes: Axes, benign: Matrix, step: Vector | None = None, name: str = "") -> None:
    """Mark where benign training alone would go, and where the round goes."""
    halo = [withStroke(linewidth=4, foreground="white")]
    style: dict[str, Any] = {"s": CROSS, "linewidths": 2.2, "zorder": 3, "path_effects": halo}
    axes.scatter(*benign.mean(dim=0).tolist(), marker="+", color=GREEN, label="mean of the benign", **style)
    if step is not None:
        axes.scatter(*step.tolist(), marker="x", color="black", label=name, **style)


def _draw_bound(axes: Axes, played: Server) -> None:
    """Draw the ball to which a rule clips: around what it remembers, or around no update at all."""
    radius = getattr(played.rule, "max_norm", None) or getattr(played.rule, "radius", None)
    if radius is not None:
        center, angles = played.memory.get("center", torch.zeros(2)), torch.linspace(0, 2 * pi, 200)
        circle = center + radius * torch.stack([angles.cos(), angles.sin()], dim=1)
        axes.plot(*circle.T, color=GRAY, linestyle="--", linewidth=1.1, label="clipped to")


def _png(figure: Figure, axes: Axes) -> bytes:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    return picture.getvalue()
