"""The Markdown of the generated pages, and of the tables that list them."""

import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from textwrap import indent

from markdown.extensions.toc import slugify

from sparring.contracts import BlackBoxView
from sparring.experiments.config.catalogues import CATALOGUES, Option
from sparring.federation.threat import VIEWS
from sparring.kinds import stated_facts
from sparring.registry import build
from tools.site.examples import as_python, as_yaml, player, section
from tools.site.members import Member
from tools.site.papers import named, papers
from tools.site.plane import BENIGN, CLIENTS, MALICIOUS, ROUNDS, remembered

SIZES = (10, 50, 100)
"""Numbers of clients for which the tables say how many malicious ones a rule can be told to expect."""
NONE = "–"
FORMULA = re.compile(r"(O\((?:[^()]|\([^()]*\))*\)|\bn >= [^,]+)")
"""What is a formula in what a class states."""
INDENT = "    "

INFLUENCE = (
    f"**Whom it follows.** One round of a model with two parameters, in which {MALICIOUS} of {CLIENTS} clients flip "
    "the sign of their update. The area of a disc says how far the rule's step follows an update that moves a little; "
    "a hollow mark is one that it does not follow at all."
)
REACH = (
    f"**What gets through.** The same round, but with all {MALICIOUS} malicious updates put at one point: the color "
    "there says how far from the benign mean the rule's step then ends."
)
LATE = f" The rule saw the same updates in the {ROUNDS - 1} rounds before."
CRAFTED = (
    f"**Where it strikes.** The first round of a model with two parameters, with {BENIGN} benign clients, {MALICIOUS} "
    "malicious ones and a server that takes the median. The distance between the crosses is what the attack does to "
    "plain averaging."
)


STAMPED = (
    "**What it makes of images.** A test image of each digit, what becomes of it, and the change, stretched by the "
    "factor beside it: mid-gray is none, or what is subtracted there because most pixels have it in common."
)


def page(member: Member) -> str:
    """Return a member's page."""
    parts = (
        f"# {prose(member.title)}",
        f"*{prose(member.tagline)}.*" if member.tagline else "",
        table(*_facts(member)),
        prose(member.description),
        _pictures(member),
        _options(member),
        _formulas(member),
        _use(member),
    )
    return "\n\n".join(filter(None, parts)) + "\n"


def attacks_table(attacks: Iterable[Member]) -> str:
    """Return the table of all attacks."""
    rows = [(_entry(attack), _keys(attack), _knowledge(attack), _cost(attack)) for attack in attacks]
    return table(("attack", "paper", "must see", "cost"), *rows)


def triggers_table(triggers: Iterable[Member]) -> str:
    """Return the table of all triggers."""
    rows = [(_entry(trigger), _keys(trigger), prose(trigger.tagline) or NONE) for trigger in triggers]
    return table(("trigger", "paper", "what it is"), *rows)


def rules_table(rules: Iterable[Member]) -> str:
    """Return the table of all rules."""
    rows = [(_entry(rule), _keys(rule), _assumption(rule), _limits(rule), _cost(rule)) for rule in rules]
    of = " · ".join(map(str, SIZES))
    return table(("rule", "paper", "assumes", f"malicious of {of}", "cost"), *rows)


def prose(docstring: str) -> str:
    """Make Markdown of a docstring: what is neither code nor a formula in it is plain text."""
    pieces = re.split(r"(`[^`]*`|\$\$[^$]+\$\$|\$[^$]+\$)", docstring)
    return "".join(piece if piece.startswith(("`", "$")) else _plain(piece) for piece in pieces)


def _plain(text: str) -> str:
    return re.sub(r"([*_|])", r"\\\1", escape(text, quote=False))


def cited(source: str) -> str:
    """Link each paper that a source names to its place in the list of papers."""
    text = prose(source) or NONE
    for paper in papers():
        text = text.replace(prose(paper), f"[{prose(paper)}](../papers.md#{slugify(paper, '-')})")
    return text


def _keys(member: Member) -> str:
    """Link the papers that a member names, by their keys alone."""
    return cited("; ".join(paper.key for paper in named(member.source)))


def _facts(member: Member) -> list[tuple[str, str]]:
    """Return what the table says of a member, and what it remembers, as lines of its page."""
    shared = [("name", _names(member)), ("paper", cited(member.source))]
    if member.is_trigger:
        return shared
    if not member.is_rule:
        return [*shared, ("must see", _knowledge(member)), ("assumes", _assumption(member)), ("cost", _cost(member))]
    if member.needs_file:
        return [*shared, ("assumes", _assumption(member)), ("remembers", "its last action"), ("cost", _cost(member))]
    kept = ", ".join(f"`{name}`" for name in remembered(player(member))) or "nothing"
    limits = ", ".join(f"{most} of {of}" for most, of in zip(_most(member), SIZES, strict=True))
    expects = ("malicious rows, at most", limits)
    return [*shared, ("assumes", _assumption(member)), expects, ("remembers", kept), ("cost", _cost(member))]


def _assumption(member: Member) -> str:
    return _with_formulas(stated_facts(member.cls).assumption)


def _cost(member: Member) -> str:
    return _with_formulas(stated_facts(member.cls).cost)


def _with_formulas(fact: str) -> str:
    """Write what a class states as Markdown, its formulas as LaTeX: `O(...)`, and `n >= ...` up to a comma."""
    pieces = FORMULA.split(fact)
    latex = (piece.replace("log", r"\log").replace(">=", r"\ge") for piece in pieces[1::2])
    pieces[1::2] = [f"${formula}$" for formula in latex]
    return "".join(piece if piece.startswith("$") else prose(piece) for piece in pieces) or NONE


def _limits(rule: Member) -> str:
    return NONE if rule.needs_file else " · ".join(map(str, _most(rule)))


def _most(rule: Member) -> list[int]:
    return [player(rule).limit(clients) for clients in SIZES]


def _knowledge(attack: Member) -> str:
    """Name the view that an attack needs, and the one that it needs with less knowledge."""
    if not attack.crafts:
        return "its clients' examples"
    needed = _view(player(attack).needs)
    if "knowledge" not in (option.name for option in attack.options):
        return needed
    lesser = "black_box" if attack.needs_file else "partial"
    given = build("attack", CATALOGUES[attack.kind], {**section(attack), "knowledge": lesser})
    return f"{needed}; {_view(given.needs)} with `knowledge: {lesser}`"


def _view(needed: type[BlackBoxView]) -> str:
    return next(name.replace("_", "-") for name, view in VIEWS.items() if view is needed)


def _entry(member: Member) -> str:
    return f"[{prose(member.title)}]({member.name}.md)<br>{_names(member)}"


def _names(member: Member) -> str:
    return ", ".join(f"`{name}`" for name in member.names)


def _pictures(member: Member) -> str:
    name = member.name
    if member.needs_file and not member.is_trigger:
        return ""
    if member.is_trigger or member.is_backdoor:
        return _figure(name, "Ten images without and with the trigger", STAMPED)
    if not member.is_rule:
        return _grid(_figure(name, "Benign and malicious updates on a plane", CRAFTED))
    late = LATE if remembered(player(member)) else ""
    return _grid(
        _figure(name, "The updates that the rule follows, on a plane", INFLUENCE + late),
        _figure(f"{name}-reach", "The error of the rule's step over the place of the malicious updates", REACH),
    )


def _figure(picture: str, description: str, caption: str) -> str:
    return f"![{description}](pictures/{picture}.png)\n\n{caption}"


def _grid(*figures: str) -> str:
    """Put figures side by side where there is room, else below each other."""
    cells = (f'<div markdown="1">\n\n{figure}\n\n</div>' for figure in figures)
    return "\n".join(['<div class="grid" markdown="1">', *cells, "</div>"])


def _options(member: Member) -> str:
    return "## Options\n\n" + (options_table(member) or "It has none.")


def options_table(member: Member) -> str:
    """Return the table of a member's options, nothing if it has none."""
    rows = [
        (f"`{option.name}`", f"`{option.type}`", _default(option), prose(option.meaning)) for option in member.options
    ]
    return table(("option", "type", "default", "meaning"), *rows) if rows else ""


def _default(option: Option) -> str:
    return "must be given" if option.required else f"`{json.dumps(option.default, default=repr)}`"


def _formulas(member: Member) -> str:
    if not member.formulas:
        return ""
    entries = [
        f"`{each.signature}`\n:   {indent(prose(each.description), INDENT).lstrip()}" for each in member.formulas
    ]
    return "\n\n".join([f"## Formulas\n\nIn `{member.cls.__module__}`:", *entries])


def _use(member: Member) -> str:
    return f"## Use\n\n```yaml\n{as_yaml(member)}```\n\n```python\n{as_python(member)}```"


def table(head: Sequence[str], *rows: Sequence[str]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
