"""Commits on the one branch, made without a working tree: complete or absent, and none for what is known."""

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from backup.history.git import Git, GitError

BRANCH = "refs/heads/main"
NOTHING = "0" * 40


def prepare(git: Git) -> None:
    """Make the repository if there is none."""
    if not (git.folder / "HEAD").is_file():
        git.run("init", "--quiet", "--bare", "--initial-branch=main", str(git.folder))


def head(git: Git) -> str | None:
    """Return the newest commit, or None before the first."""
    return resolved(git, BRANCH)


def resolved(git: Git, name: str) -> str | None:
    """Return the commit of this name, or None where there is none."""
    try:
        return git.line("rev-parse", "--quiet", "--verify", "--end-of-options", name + "^{commit}")
    except GitError:
        return None


def content(git: Git, commit: str, path: str) -> bytes | None:
    """Return a file as it was then, or None where it was not there."""
    try:
        return git.run("cat-file", "blob", f"{commit}:{path}")
    except GitError:
        return None


def commit(git: Git, files: Mapping[str, bytes], message: str, at: datetime) -> str | None:
    """Put the files into the newest commit's tree, and return the new commit; None where nothing changes."""
    parent = head(git)
    tree = _tree(git, parent, files)
    if parent and tree == git.line("rev-parse", parent + "^{tree}"):
        return None
    when = at.isoformat(timespec="seconds")
    parents = ["-p", parent] if parent else []
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    made = git.line("commit-tree", tree, *parents, "-m", message, environment=dates)
    git.run("update-ref", BRANCH, made, parent or NOTHING)  # fails where another was quicker
    return made


def _tree(git: Git, parent: str | None, files: Mapping[str, bytes]) -> str:
    """Write the files and the tree that holds them beside what is there already."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.run("read-tree", parent or "--empty", environment=index)
        for path, content in files.items():
            blob = git.line("hash-object", "-w", "--stdin", given=content)
            git.run(
                "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", environment=index
            )
        return git.line("write-tree", environment=index)
