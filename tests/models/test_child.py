from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from tiny_model import ENERGY, TINY, tiny_spectra

from napari_phasemap.core.data.errors import InputError, ProcessDied
from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.models import child as child_module
from napari_phasemap.models.child import TrainerProcess

pytestmark = pytest.mark.tensorflow

LONG = {**TINY, "epochs": 10**6}


@pytest.fixture(scope="module")
def child():
    with TrainerProcess(n_threads=1) as process:
        process.train(tiny_spectra(), seed=3, parameters=TINY, energy=ENERGY)
        yield process


def test_the_child_trains_the_very_model_of_this_process(child, trained, spectra):
    assert child.summary["test_loss"] == trained.test_loss_
    np.testing.assert_array_equal(child.encode(spectra), trained.encode(spectra))
    latent = child.encode(spectra, energy=ENERGY)
    np.testing.assert_array_equal(child.decode(latent), trained.decode(latent))
    np.testing.assert_array_equal(
        child.reconstruct(spectra), trained.reconstruct(spectra)
    )
    shares = child.component_probabilities(spectra)
    np.testing.assert_array_equal(shares, trained.component_probabilities(spectra))


def test_losses_and_progress_arrive_while_it_trains(child, spectra):
    told, epochs = [], []
    done = child.train(
        spectra,
        seed=3,
        parameters=TINY,
        energy=ENERGY,
        on_progress=lambda *report: told.append(report),
        on_epoch=epochs.append,
    )
    assert (6, 6) in {report[:2] for report in told}
    assert [e["kl"] for e in epochs] == done["history"]["kl"]


def test_mistakes_come_back_as_the_exceptions_they_are(child, spectra):
    with pytest.raises(ValueError, match="the model was trained on 9 energies"):
        child.encode(spectra, energy=ENERGY + 5)
    with pytest.raises(ValueError, match="hold NaN"):
        child.train(np.full((64, 9), np.nan), parameters=TINY)
    with pytest.raises(InputError, match="no parameter depth"):
        child.train(spectra, parameters={"depth": 3})
    with pytest.raises(FileNotFoundError, match="there is no model"):
        child.load("nowhere")
    assert child.summary["n_spectra"] == 64
    assert child.encode(spectra).shape == (64, 3)


def test_cancel_takes_effect_at_once_and_the_last_model_survives(child, spectra):
    before, summary = child.encode(spectra), child.summary
    asked = []
    timer = Timer(1.0, lambda: (asked.append(time.monotonic()), child.cancel()))
    timer.start()
    with pytest.raises(Cancelled):
        child.train(spectra, parameters=LONG)
    assert time.monotonic() - asked[0] < 1.0
    assert not child.is_running
    assert child.summary is summary
    np.testing.assert_array_equal(child.encode(spectra), before)


def test_a_progress_callable_may_cancel_too_even_during_the_start(child, spectra):
    start, texts = time.monotonic(), set()

    def stop(step: int, total: int, text: str) -> None:
        texts.add(text)
        if time.monotonic() - start > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        child.train(spectra, parameters=LONG, on_progress=stop)
    assert not child.is_running
    with pytest.raises(Cancelled):
        child.encode(spectra, on_progress=stop)
    assert "starting TensorFlow" in texts
    assert not child.is_running


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_child_is_reported_and_the_next_step_works(child, spectra):
    before = child.encode(spectra)
    Timer(0.5, os.kill, (child.pid, signal.SIGKILL)).start()
    with pytest.raises(ProcessDied, match="signal 9, as when memory runs out"):
        child.train(spectra, parameters=LONG)
    np.testing.assert_array_equal(child.encode(spectra), before)


def test_save_and_load_go_through_the_child(child, spectra, tmp_path):
    child.save(tmp_path / "model")
    with pytest.raises(FileExistsError, match="overwrite"):
        child.save(tmp_path / "model")
    latent = child.encode(spectra)
    summary = child.load(tmp_path / "model")
    assert summary["energy"] == ENERGY.tolist()
    np.testing.assert_array_equal(child.encode(spectra), latent)


def test_arrays_do_not_stay_in_the_temporary_folder(child, spectra):
    child.encode(spectra)
    folder = child.folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "log.txt",
        "model",
        "owner.json",
    ]


def test_tensorflow_that_cannot_be_imported_is_said_with_its_reason(
    tmp_path, monkeypatch, spectra
):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no such library')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with TrainerProcess() as process:
        with pytest.raises(ImportError, match=r"no such library.*pip install"):
            process.train(spectra, parameters=TINY)
        assert not process.is_running


def test_a_child_that_dies_at_the_start_is_reported_with_its_last_words(
    monkeypatch, spectra
):
    monkeypatch.setattr(child_module, "WORKER", "no_such_module")
    with TrainerProcess() as process:
        with pytest.raises(ProcessDied, match="No module named"):
            process.train(spectra, parameters=TINY)
        folder = process.folder
        assert folder.exists()
    assert not folder.exists()


def test_nothing_starts_again_after_close(spectra):
    process = TrainerProcess()
    process.close()
    with pytest.raises(Cancelled, match="closed"):
        process.train(spectra, parameters=TINY)
    assert not process.is_running
    assert process.folder is None


def run(code: str) -> subprocess.CompletedProcess[str]:
    setup = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    return subprocess.run(
        [sys.executable, "-c", setup + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_parent_never_imports_tensorflow_and_leaves_nothing_behind():
    done = run("""
        import sys
        from pathlib import Path
        from tiny_model import TINY, tiny_spectra
        from napari_phasemap.models.child import TrainerProcess
        with TrainerProcess() as child:
            child.train(tiny_spectra(), parameters=TINY)
            child.encode(tiny_spectra())
            folder = child.folder
            assert folder.exists()
        assert not folder.exists()
        assert not child.is_running
        loaded = {"tensorflow", "keras", "sklearn", "qtpy"} & set(sys.modules)
        print("loaded", loaded)
    """)
    assert done.stdout.strip() == "loaded set()", done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_no_orphan_and_no_folder_stay_when_the_parent_is_killed():
    done = run("""
        import os, signal
        from tiny_model import TINY, tiny_spectra
        from napari_phasemap.models.child import TrainerProcess
        child = TrainerProcess()
        def die(losses):
            print(child.pid, child.folder, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        child.train(tiny_spectra(), parameters={**TINY, "epochs": 10**6}, on_epoch=die)
    """)
    pid, folder = done.stdout.split()
    end = time.monotonic() + 15
    while time.monotonic() < end and (Path(folder).exists() or is_alive(int(pid))):
        time.sleep(0.05)
    assert not Path(folder).exists()
    assert not is_alive(int(pid))


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().split(") ")[1].startswith("Z"))
