"""The Python snippets of the documents run as they stand, on the packaged world."""

import re
from pathlib import Path

import pytest

import yanrt

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("document", ["README.md", "docs/session.md"])
def test_snippets_run(document: str) -> None:
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert snippets
    assert "doom" in yanrt.packaged_models()
    for snippet in snippets:
        scope: dict[str, object] = {}
        exec(snippet, scope)
        package = yanrt.Package.open("doom")
        assert getattr(scope["frames"], "shape", None) == package.frames_shape[1:]


def test_documents_link_to_files_that_exist() -> None:
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    broken = [
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []
