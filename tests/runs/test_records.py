"""What `run.json` tells of a run is read back, and what it cannot mean is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.dataset import load
from rmjudge.errors import UsageError
from rmjudge.runs.records import RunRecord, read_record

if TYPE_CHECKING:
    from command import Cli


def written(folder: Path, about: Any) -> RunRecord:
    (folder / "run.json").write_text(json.dumps(about))
    return read_record(folder)


def test_how_a_run_was_made_is_read_back(cli: Cli) -> None:
    words = ("--domain", "math", "--domain", "chat", "--limit", "2")
    cli("run", "baseline/length", *words, "--out", "o", "--cache-dir", "kept")
    record = read_record(cli.home / "o")
    data = load(["sample"]).select(("chat", "math"), 2)
    assert (record.label, record.tuples, record.digest) == ("sample", 4, data.digest)
    assert (record.sources, record.domains, record.limit) == (("sample",), ("chat", "math"), 2)
    assert (record.seed, record.votes, record.template) == (0, 1, None)
    assert record.identity == {"provider": "baseline", "model": "length", "version": 1}
    assert record.cache_folder == cli.home / "kept"
    assert record.resume.startswith("rmjudge run baseline/length --domain math")
    assert record.started is not None
    assert (record.combined, record.imported, record.places) == (False, None, None)


def test_an_import_tells_its_files_and_nothing_that_it_does_not_know(cli: Cli) -> None:
    item = {"id": 1, "prompt": "p", "chosen": ["a"] * 3, "rejected": ["b"] * 3}
    scored = json.dumps([{**item, "score_chosen": [3, 2, 1], "score_rejected": [1, 2, 3]}])
    (cli.home / "chat_filtered.json").write_text(scored)
    done = cli("import", "chat_filtered.json", "--name", "m", "--domain", "chat", "--out", "o")
    assert done.returncode == 0, done.stderr
    record = read_record(cli.home / "o")
    assert record.imported is not None
    assert record.imported.files == ("chat_filtered.json",)
    assert record.imported.digests == (hashlib.sha256(scored.encode()).hexdigest(),)
    assert (record.started, record.seed, record.digest, record.resume) == (None, None, None, "")
    assert (record.identity, record.combined) == (None, False)


def test_a_result_of_several_scorers_has_no_identity_and_says_so(home: Path) -> None:
    assert written(home, {"identity": None}).combined
    assert not written(home, {}).combined


def test_seed_votes_and_template_are_those_of_the_run(home: Path) -> None:
    record = written(home, {"options": {"seed": 7, "template": "t.j2"}, "votes": 3})
    assert (record.seed, record.template, record.votes) == (7, "t.j2", 3)


@pytest.mark.parametrize(
    "about",
    [
        [],
        {"data": {"digest": 1}},
        {"options": {"limit": "3"}},
        {"options": {"seed": True}},
        {"options": []},
        {"started": "yesterday"},
        {"cache": {}},
        {"places": ["x"]},
        {"imported": {"files": ["a"]}},
    ],
)
def test_what_rmjudge_does_not_write_is_refused(home: Path, about: Any) -> None:
    with pytest.raises(UsageError, match=r"run\.json is no file of a run: "):
        written(home, about)
