import shlex

from sparring.cli.options import read_words
from sparring.experiments.audit import read_request
from sparring.experiments.audit.report import audit_page, command_to_repeat_audit, describe_audit
from sparring.experiments.report import read_study
from tests.experiments.audit.asking import WHITE_BOX, asked


def page(done, request):
    return audit_page(read_study(done.folder / "attacks"), done, request=request)


def test_the_page_says_the_verdict_and_shows_the_curves(done):
    html = page(done, asked(WHITE_BOX))
    assert all(sentence in html for sentence in describe_audit(done, asked(WHITE_BOX)))
    assert html.count("<svg viewBox=") >= 4
    assert "Accuracy over malicious clients" in html
    assert all(label in html for label in done.policies)


def test_the_report_in_the_folder_is_this_page(done):
    assert (done.folder / "report.html").read_text() == page(done, asked(WHITE_BOX))


def test_the_page_fetches_nothing(done):
    html = page(done, asked(WHITE_BOX))
    assert "<script" not in html
    assert "http" not in html.replace('http-equiv="Content-Security-Policy"', "")


def test_the_command_on_the_page_asks_for_the_same_audit():
    for settings in ((), ("attack.name=ipm", "attack.scale=2.0", "attack.start=1", "seed=4")):
        request = asked(*settings, seeds=3, budget=90.0)
        sparring, audit, *words, _, seeds, _, budget = shlex.split(command_to_repeat_audit(request))
        assert (sparring, audit, seeds, budget) == ("sparring", "audit", "3", "90s")
        assert read_request(read_words(words), seeds=3, budget=90.0).digest == request.digest


def test_the_page_lists_the_attacks_worst_first_and_the_reference_rules(done):
    html = page(done, asked(WHITE_BOX))
    every = html[html.index('id="attacks"') :]
    table = every[: every.index("</table>")]
    places = [table.index(f'row">{cell.attack}') for cell in done.verdict.ranking]
    assert places == sorted(places)
    assert table.count(", in the verdict") == 3
    rules = html[html.index('id="references"') : html.index('id="learned"')]
    assert "trained against median" in rules
    assert all(f'row">{row.rule}' in rules for row in done.verdict.references)
