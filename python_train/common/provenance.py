"""Where a checkpoint comes from: the commit of the code and the hash of what it was made from."""

import hashlib
import subprocess
from pathlib import Path


def commit() -> str:
    """Commit of the working tree, with "+" if it has changes; "unknown" outside a repository."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no", "--", "python_train") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _git(*arguments: str) -> str:
    folder = Path(__file__).resolve().parents[2]
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
