from sparring.cli.console import show_paragraphs


def test_a_line_is_no_wider_than_a_small_terminal_and_a_path_is_not_broken(capsys):
    path = "/a/very-long/" * 10
    show_paragraphs(["word " * 30, f"written: {path}", "short"])
    first, second, _, broken, last = capsys.readouterr().out.splitlines()
    assert max(len(first), len(second)) <= 80
    assert second.startswith("  word")
    assert broken == f"  {path}"
    assert last == "short"


def test_no_name_commands_the_terminal(capsys):
    show_paragraphs(["failed: \x1b[2J"])
    assert capsys.readouterr().out == "failed: \\x1b[2J\n"
