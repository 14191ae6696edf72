from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from threading import Event, Thread, Timer

import numpy as np
import pytest

from napari_phasemap.core.data.errors import InputError, ProcessDied, is_bug
from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.learn.embedding import umap_embedding
from napari_phasemap.process import embedder as embedder_module
from napari_phasemap.process.conversation import ChildBug, Conversation
from napari_phasemap.process.embedder import EmbedderProcess

#: Long enough to be stopped in the middle.
MANY = np.random.default_rng(4).normal(size=(9000, 4)).astype(np.float32)


@pytest.fixture(scope="module")
def embedder():
    child = EmbedderProcess()
    yield child
    child.close()


def few(n_pixels: int = 60) -> np.ndarray:
    values = np.random.default_rng(1).normal(size=(n_pixels, 3)).astype(np.float32)
    values[5] = np.nan
    return values


def test_the_child_embeds_as_this_process_does(embedder):
    options = {"n_components": 3, "n_neighbors": 7, "min_distance": 0.3, "seed": 2}
    told = []
    there = embedder.umap_embedding(
        few(), on_progress=lambda *report: told.append(report), **options
    )
    np.testing.assert_array_equal(there, umap_embedding(few(), **options))
    assert np.isnan(there[5]).all()
    assert (100, 100, "UMAP: done") in told


def test_mistakes_come_back_as_the_exceptions_they_are(embedder):
    with pytest.raises(InputError, match="needs at least 4"):
        embedder.umap_embedding(few()[:3])
    with pytest.raises(ChildBug, match=r"TypeError in the UMAP .*option") as bug:
        embedder.umap_embedding(few(), no_such_option=1)
    shown = "".join(traceback.format_exception(bug.value))
    assert "embedding_worker.py" in shown  # the child's own traceback
    assert is_bug(bug.value)
    assert embedder.umap_embedding(few()).shape == (60, 2)


def test_a_cancel_ends_the_layout_at_once_and_the_next_one_works(embedder):
    asked = []

    def stop(step, total, text):
        if text == "UMAP: layout" and step > 12:
            asked.append(time.monotonic())
            raise Cancelled

    with pytest.raises(Cancelled):
        embedder.umap_embedding(MANY, on_progress=stop)
    assert time.monotonic() - asked[0] < 1.0
    assert not embedder.is_running
    assert embedder.umap_embedding(few()).shape == (60, 2)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_child_is_told_as_what_it_is(embedder):
    embedder.begin()
    Timer(0.3, os.kill, (embedder.pid, signal.SIGKILL)).start()
    with pytest.raises(ProcessDied, match="the UMAP process ended by itself"):
        embedder.umap_embedding(MANY)


def test_a_child_that_died_before_it_was_asked_is_told_as_what_it_is(tmp_path):
    talk = Conversation(embedder_module.WORKER, tmp_path, Event(), name="UMAP")
    talk.kill()
    end = time.monotonic() + 10
    while not talk._process.stdin.closed and time.monotonic() < end:
        time.sleep(0.01)
    assert talk._process.stdin.closed
    with pytest.raises(ProcessDied, match="the UMAP process ended by itself"):
        talk.ask({"do": "embed"}, text="UMAP")


def test_a_child_that_cannot_start_says_why(monkeypatch):
    monkeypatch.setattr(embedder_module, "WORKER", "no_such_module")
    child = EmbedderProcess()
    with pytest.raises(ProcessDied, match="No module named"):
        child.umap_embedding(few())
    child.close()
    with pytest.raises(Cancelled, match="closed"):
        child.begin()


def test_closing_ends_what_runs_and_removes_its_files():
    child = EmbedderProcess()
    ended = []

    def embed():
        try:
            child.umap_embedding(MANY)
        except Cancelled:
            ended.append(True)

    thread = Thread(target=embed)
    child.begin()
    folder = child.folder
    assert folder is not None
    assert folder.exists()
    thread.start()
    time.sleep(0.2)
    child.close()
    thread.join(timeout=5)
    assert ended == [True]
    assert not folder.exists()
    assert child.pid is None
