from pathlib import Path

from exporters.supported import supported_ops_page


def test_the_page_is_up_to_date():
    """`python -m exporters ops --markdown > docs/supported_ops.md` makes it so."""
    assert (Path(__file__).parents[2] / "docs/supported_ops.md").read_text() == supported_ops_page()
