from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import pearsonr

from napari_phasemap.core.data.progress import Cancelled
from napari_phasemap.core.data.references import ReferenceSpectra
from napari_phasemap.core.data.stack import SpectralStack
from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.phases import correlation
from napari_phasemap.core.phases.correlation import pearson_map, warm_up

#: Agreement with float64 that is promised.
TOLERANCE = 1e-5


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def engine(request, monkeypatch):
    """Run every test with the compiled pass and with plain numpy."""
    correlation._rank_function.cache_clear()
    if request.param == "numpy":
        monkeypatch.setitem(sys.modules, "napari_phasemap.core.phases.kernels", None)
    yield request.param
    correlation._rank_function.cache_clear()


def make_stack(data, energy=None, **options):
    data = data if hasattr(data, "chunks") else np.asarray(data)
    energy = np.arange(len(data), dtype=float) if energy is None else energy
    return SpectralStack(data, energy, quantity="optical_density", **options)


def make_references(n, n_energies, seed=0, energy=None):
    spectra = np.random.default_rng(seed).random((n, n_energies))
    energy = np.arange(n_energies, dtype=float) if energy is None else energy
    return ReferenceSpectra([f"r{i}" for i in range(n)], energy, spectra)


def float64_scores(spectra, references):
    """Pearson's r by the textbook formula, an independent path."""
    x = np.asarray(spectra, dtype=np.float64)
    x = x - x.mean(axis=1, keepdims=True)
    p = references.spectra - references.spectra.mean(axis=1, keepdims=True)
    norms = np.outer(np.linalg.norm(x, axis=1), np.linalg.norm(p, axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return x @ p.T / norms


def assert_same_ranking(phases, scores):
    """Labels may differ from float64 only where the gap is below the tolerance."""
    order = np.argsort(-scores, axis=1, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=1)
    if scores.shape[1] > 1:
        gap = ranked[:, 0] - ranked[:, 1]
        assert_allclose(phases.margin, gap, atol=TOLERANCE)
        sure = gap >= TOLERANCE
        assert_array_equal(phases.labels[sure], order[sure, 0] + 1)
    if scores.shape[1] > 2:
        sure &= ranked[:, 1] - ranked[:, 2] >= TOLERANCE
        assert_array_equal(phases.runner_up[sure], order[sure, 1] + 1)
    assert_allclose(phases.best, ranked[:, 0], atol=TOLERANCE)
    assert_allclose(phases.scores, scores, atol=TOLERANCE)


def test_the_compiled_pass_runs_where_it_can(engine):
    assert warm_up() is (engine == "compiled")


@pytest.mark.parametrize("n_references", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("n_energies", [3, 4, 13, 100])
def test_scores_and_ranking_equal_float64(n_energies, n_references):
    data = np.random.default_rng(1).random((n_energies, 31, 47), dtype=np.float32)
    stack = make_stack(data)
    references = make_references(n_references, n_energies)
    phases = pearson_map(stack, references)
    assert_same_ranking(phases, float64_scores(stack.spectra(), references))


def test_scores_equal_scipy_pixel_by_pixel():
    stack = make_stack(np.random.default_rng(2).normal(size=(13, 5, 7)))
    references = make_references(4, 13)
    phases = pearson_map(stack, references)
    expected = [
        [pearsonr(x.astype(float), p).statistic for p in references.spectra]
        for x in stack.spectra()
    ]
    assert_allclose(phases.scores, expected, atol=TOLERANCE)


def ill_conditioned_spectra(n_energies):
    """Spectra from tiny to huge, on large offsets, with outliers; float32."""
    rng = np.random.default_rng(3)
    rows = []
    for amplitude in 10.0 ** np.arange(-5, 6):
        for offset in (0.0, 1e-5, 1.0, 1e3, 1e5):
            if offset and amplitude / offset < 1e-6:
                continue  # float32 cannot hold such a spectrum
            rows.append(offset + amplitude * rng.random((20, n_energies)))
    rows.append(10.0 ** rng.uniform(-5, 5, (200, n_energies)))
    spiky = rng.random((60, n_energies))
    spiky[np.arange(60), np.arange(60) % n_energies] = 1e5
    rows.append(spiky)
    rows.append(np.r_[1e5, np.full(n_energies - 1, 3.0)][None])
    rows.append(1e-18 * rng.random((20, n_energies)))
    rows.append(1e-36 * rng.random((20, n_energies)))
    rows.append(1e36 * rng.random((20, n_energies)))
    return np.concatenate(rows).astype(np.float32)


@pytest.mark.parametrize("n_energies", [13, 100, 1000])
def test_ill_conditioned_spectra_equal_float64(n_energies):
    spectra = ill_conditioned_spectra(n_energies)
    stack = make_stack(spectra.T[:, None, :])
    references = make_references(5, n_energies)
    phases = pearson_map(stack, references)
    assert phases.n_unassigned == 0
    assert_same_ranking(phases, float64_scores(spectra, references))


def test_an_outlying_first_energy_does_not_cost_accuracy():
    rng = np.random.default_rng(4)
    spectra = rng.random((500, 2000)).astype(np.float32)
    spectra[:, 0] += np.linspace(0, 1000, 500, dtype=np.float32)
    references = make_references(3, 2000)
    phases = pearson_map(make_stack(spectra.T[:, None]), references)
    assert_same_ranking(phases, float64_scores(spectra, references))


def test_known_scores_of_a_pixel_by_hand():
    references = ReferenceSpectra(["up", "peak"], [1, 2, 3], [[0, 1, 2], [0, 1, 0]])
    phases = pearson_map(make_stack([[[1.0]], [[2.0]], [[2.0]]], [1, 2, 3]), references)
    assert_allclose(phases.scores, [[np.sqrt(3) / 2, 0.5]], atol=1e-6)
    assert phases.labels.tolist() == [1]
    assert phases.runner_up.tolist() == [2]
    assert_allclose(phases.margin, [np.sqrt(3) / 2 - 0.5], atol=1e-6)
    assert_allclose(phases.reliability, 100 * phases.margin)


def test_thickness_and_constant_background_change_nothing():
    data = np.random.default_rng(5).random((13, 8, 9), dtype=np.float32)
    references = make_references(5, 13)
    plain = pearson_map(make_stack(data), references)
    changed = pearson_map(make_stack(2.5 * data + 0.75), references)
    assert_allclose(changed.scores, plain.scores, atol=TOLERANCE)


def test_a_reference_is_its_own_phase_with_the_margin_of_its_closest_neighbor():
    references = make_references(6, 13)
    phases = pearson_map(make_stack(references.spectra.T[:, None]), references)
    assert phases.labels.tolist() == [1, 2, 3, 4, 5, 6]
    assert_allclose(phases.scores, references.correlation(), atol=TOLERANCE)
    r = references.correlation() - 2 * np.eye(6)
    assert_allclose(phases.margin, 1 - r.max(axis=1), atol=TOLERANCE)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 5, 12])
def test_constant_and_non_finite_spectra_are_not_assigned_but_counted(bad, where):
    data = np.random.default_rng(6).random((13, 4, 500), dtype=np.float32)
    data[:, 1, 2] = 0.7
    data[:, 3, 499] = 0.0
    data[where, 2, 400] = bad
    phases = pearson_map(make_stack(data), make_references(3, 13))
    unassigned = np.flatnonzero(phases.labels == 0)
    assert unassigned.tolist() == [502, 1400, 1999]
    assert phases.n_unassigned == 3
    for name in ("best", "margin", "scores"):
        assert np.isnan(getattr(phases, name)[unassigned]).all()
        assert np.isfinite(np.delete(getattr(phases, name), unassigned, axis=0)).all()
    assert (phases.runner_up[unassigned] == 0).all()
    assert not phases.ambiguous(2.1)[unassigned].any()


def test_only_masked_pixels_are_ranked_in_pixel_order():
    rng = np.random.default_rng(7)
    stacks = StackSet(
        [
            make_stack(rng.random((13, 40, 61)), mask=rng.random((40, 61)) < 0.4),
            make_stack(rng.random((13, 30, 20))),
            make_stack(rng.random((13, 5, 5)), mask=np.zeros((5, 5))),
            make_stack(rng.random((13, 2, 3)), mask=np.eye(2, 3)),
        ]
    )
    references = make_references(5, 13)
    phases = pearson_map(stacks, references)
    assert_same_ranking(phases, float64_scores(stacks.spectra(), references))


def test_a_constant_spectrum_inside_a_mask_is_found():
    data = np.random.default_rng(8).random((13, 3, 4), dtype=np.float32)
    data[:, 1, 2] = 3.0
    mask = np.ones((3, 4), dtype=bool)
    mask[0] = False
    phases = pearson_map(make_stack(data, mask=mask), make_references(2, 13))
    assert np.flatnonzero(phases.labels == 0).tolist() == [2]


def test_missing_frames_are_left_out_for_all_stacks():
    rng = np.random.default_rng(9)
    first, second = rng.random((2, 13, 6, 7), dtype=np.float32)
    first[3] = np.nan
    second[12] = np.nan
    stacks = [make_stack(first), make_stack(second)]
    references = make_references(3, 13)
    phases = pearson_map(stacks, references)
    kept = np.delete(np.arange(13), [3, 12])
    fewer = ReferenceSpectra(
        references.names, kept.astype(float), references.spectra[:, kept]
    )
    spectra = np.concatenate([s.spectra()[:, kept] for s in stacks])
    assert phases.n_unassigned == 0
    assert phases.parameters["n_energies"] == 11
    assert_same_ranking(phases, float64_scores(spectra, fewer))


@pytest.mark.parametrize("chunks", [(13, 5, 7), (1, 20, 30), (4, (7, 13), 30)])
def test_dask_data_give_the_same_map(chunks):
    import dask.array as da

    data = np.random.default_rng(10).random((13, 20, 30), dtype=np.float32)
    mask = np.random.default_rng(11).random((20, 30)) < 0.7
    references = make_references(3, 13)
    lazy = make_stack(da.from_array(data, chunks=chunks), mask=mask)
    assert isinstance(lazy.data, da.Array)
    expected = pearson_map(make_stack(data, mask=mask), references)
    phases = pearson_map(lazy, references)
    assert_array_equal(phases.labels, expected.labels)
    assert_allclose(phases.margin, expected.margin, atol=1e-6)


def rows_columns_energies(data):
    return data.transpose(1, 2, 0).copy().transpose(2, 0, 1)


def rows_energies_columns(data):
    return data.transpose(1, 0, 2).copy().transpose(1, 0, 2)


def some_energies_of_more(data):
    more = np.concatenate([data[:2] + 1, data, data[:3] - 1])
    return rows_columns_energies(more)[2:-3]


def some_columns_of_more(data):
    return np.concatenate([data + 1, data], axis=2)[:, :, data.shape[2] :]


def every_second_pixel_of_more(data):
    return rows_columns_energies(data.repeat(2, axis=2))[:, :, ::2]


def energies_reversed(data):
    return rows_columns_energies(data[::-1])[::-1]


def columns_before_rows(data):
    return data.transpose(0, 2, 1).copy().transpose(0, 2, 1)


def not_aligned(data):
    room = np.empty(data.nbytes + 1, dtype=np.uint8)
    values = room[1:].view(np.float32).reshape(data.shape)
    values[:] = data
    return values


MEMORY_ORDERS = [
    rows_columns_energies,
    rows_energies_columns,
    some_energies_of_more,
    some_columns_of_more,
    every_second_pixel_of_more,
    energies_reversed,
    columns_before_rows,
    not_aligned,
]


@pytest.mark.parametrize("turned", MEMORY_ORDERS)
@pytest.mark.parametrize("kept", [1.0, 0.6], ids=["all", "masked"])
def test_the_memory_order_changes_no_bit(turned, kept, monkeypatch):
    monkeypatch.setattr(correlation, "BLOCK_BYTES", 4096)
    rng = np.random.default_rng(12)
    data = rng.random((14, 20, 67), dtype=np.float32)
    data[5] = np.nan
    data[3, 4, 5] = np.inf
    data[:, 6, 7] = 0.25
    data[1:, 8, 9] = data[0, 8, 9] + 1e-14
    mask = rng.random((20, 67)) < kept
    mask[4, 5] = mask[6, 7] = True
    references = make_references(3, 14)
    expected = pearson_map(make_stack(data, mask=mask), references)
    stack = make_stack(turned(data), mask=mask)
    assert_array_equal(stack.data, data)
    phases = pearson_map(stack, references)
    for name in ("labels", "runner_up", "best", "margin", "scores"):
        assert_array_equal(getattr(phases, name), getattr(expected, name))
    assert phases.n_unassigned >= 2


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 0, 2)])
def test_no_memory_order_takes_a_copy_of_the_stack(order, monkeypatch):
    monkeypatch.setattr(correlation, "NUMPY_VALUES", 1 << 16)
    monkeypatch.setattr(correlation, "BLOCK_BYTES", 1 << 20)
    data = np.random.default_rng(24).random((300, 300, 40), dtype=np.float32)
    if order == (1, 0, 2):
        data = np.ascontiguousarray(data.transpose(0, 2, 1))
    stack = make_stack(data.transpose(order))
    assert np.shares_memory(stack.data, data)
    references = make_references(5, 40)
    pearson_map(stack, references, keep_scores=False)
    tracemalloc.start()
    pearson_map(stack, references, keep_scores=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < data.nbytes / 2


def test_one_reference_leaves_nothing_to_confuse_it_with():
    stack = make_stack(np.random.default_rng(13).random((13, 3, 3)))
    phases = pearson_map(stack, make_references(1, 13))
    assert (phases.labels == 1).all()
    assert (phases.runner_up == 0).all()
    assert np.isposinf(phases.margin).all()
    assert not phases.ambiguous().any()


def test_more_references_than_a_byte_can_number():
    references = make_references(300, 40)
    phases = pearson_map(make_stack(references.spectra.T[:, None]), references)
    assert phases.labels.tolist() == list(range(1, 301))


def test_equal_references_go_to_the_first_one():
    rows = np.random.default_rng(14).random((1, 13)).repeat(3, axis=0)
    references = ReferenceSpectra("abc", np.arange(13.0), rows)
    phases = pearson_map(
        make_stack(np.random.default_rng(15).random((13, 4, 4))), references
    )
    assert (phases.labels == 1).all()
    assert (phases.runner_up == 2).all()
    assert_array_equal(phases.margin, 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2500), (2500, 1)])
def test_any_image_shape_is_taken(shape):
    stack = make_stack(np.random.default_rng(16).random((13, *shape)))
    references = make_references(3, 13)
    phases = pearson_map(stack, references)
    assert_same_ranking(phases, float64_scores(stack.spectra(), references))


def test_an_empty_mask_gives_an_empty_map():
    stack = make_stack(np.ones((13, 3, 3)), mask=np.zeros((3, 3)))
    phases = pearson_map(stack, make_references(3, 13))
    assert phases.n_pixels == 0
    assert phases.scores.shape == (0, 3)


def test_two_energies_are_always_fully_correlated():
    references = ReferenceSpectra("ab", [1, 2], [[0, 1], [1, 0]])
    phases = pearson_map(make_stack([[[0.2, 5]], [[0.1, 7]]], [1, 2]), references)
    assert phases.labels.tolist() == [2, 1]
    assert_allclose(phases.margin, 2)


def test_one_energy_is_refused():
    stack = make_stack([[[1.0]]], [1.5])
    with pytest.raises(ValueError, match="two energies; got 1"):
        pearson_map(stack, ReferenceSpectra("a", [1, 2], [[0, 1]]))


def test_references_are_interpolated_to_the_energies_of_the_stack():
    dense = np.linspace(500, 540, 401)
    spectra = np.array([np.exp(-((dense - c) ** 2) / 8) for c in (517, 525, 530)])
    references = ReferenceSpectra(["a", "b", "c"], dense, spectra)
    energy = np.array([505.0, 516.03, 517.5, 520.2, 525.0, 528.7, 530.3, 535.0])
    rows = [np.interp(energy, dense, row) for row in spectra]
    phases = pearson_map(make_stack(np.array(rows).T[:, None], energy), references)
    assert phases.labels.tolist() == [1, 2, 3]
    assert_allclose(phases.best, 1, atol=TOLERANCE)


def test_energies_outside_the_references_name_both_ranges():
    stack = make_stack(np.ones((3, 1, 1)), [690.0, 700.0, 741.0])
    references = make_references(1, 3, energy=[685.0, 700.0, 735.0])
    with pytest.raises(ValueError, match=r"690-741 eV.*'r0'.*685-735 eV"):
        pearson_map(stack, references)


def test_a_constant_reference_is_named():
    references = ReferenceSpectra(["good", "flat"], [1, 2, 3], [[0, 1, 0], [0.1] * 3])
    with pytest.raises(ValueError, match="'flat' is constant"):
        pearson_map(make_stack(np.ones((3, 2, 2)), [1, 2, 3]), references)


def test_counts_are_refused_with_what_to_do():
    stack = SpectralStack(np.ones((3, 1, 1)), [1, 2, 3], name="raw")
    with pytest.raises(ValueError, match=r"'raw' holds raw counts.*optical_density"):
        pearson_map(stack, make_references(1, 3, energy=[1, 2, 3]))


def test_scores_are_kept_only_on_request():
    stack = make_stack(np.random.default_rng(17).random((13, 9, 9)))
    references = make_references(4, 13)
    lean = pearson_map(stack, references, keep_scores=False)
    full = pearson_map(stack, references)
    assert lean.scores is None
    assert full.scores.shape == (81, 4)
    for name in ("labels", "runner_up", "best", "margin"):
        assert_array_equal(getattr(lean, name), getattr(full, name))


def test_the_map_says_how_it_was_made():
    stack = make_stack(np.random.default_rng(18).random((13, 2, 2)), name="P1")
    phases = pearson_map(stack, make_references(2, 13))
    assert phases.method == "pearson"
    assert phases.names == ("r0", "r1")
    assert phases.parameters["references"] == ["r0", "r1"]
    assert phases.parameters["stacks"] == ["P1"]
    assert phases.parameters["version"]


def test_progress_counts_pixels_and_can_stop(monkeypatch):
    monkeypatch.setattr(correlation, "CHUNK_PIXELS", 100)
    stack = make_stack(np.random.default_rng(19).random((13, 25, 10)))
    steps = []
    pearson_map(
        stack,
        make_references(2, 13),
        on_progress=lambda done, total, text: steps.append((done, total)),
    )
    assert steps == [(0, 250), (100, 250), (200, 250), (250, 250)]

    def stop(done, total, text):
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        pearson_map(stack, make_references(2, 13), on_progress=stop)


def test_chunks_do_not_show_in_the_result(monkeypatch):
    stack = make_stack(np.random.default_rng(20).random((13, 37, 41)))
    references = make_references(3, 13)
    whole = pearson_map(stack, references)
    monkeypatch.setattr(correlation, "CHUNK_PIXELS", 97)
    monkeypatch.setattr(correlation, "NUMPY_VALUES", 500)
    assert_array_equal(pearson_map(stack, references).scores, whole.scores)


@pytest.mark.parametrize("n_bytes", [1, 4 * 13 * 30 * 3])
def test_blocks_of_rows_do_not_show_in_the_result(monkeypatch, n_bytes):
    """Rows one by one and three at a time, in memory that is not flat and lazily."""
    import dask.array as da

    data = np.random.default_rng(23).random((13, 41, 60), dtype=np.float32)[:, :, ::2]
    references = make_references(3, 13)
    whole = pearson_map(make_stack(data.copy()), references)
    monkeypatch.setattr(correlation, "BLOCK_BYTES", n_bytes)
    for kept in (data, da.from_array(data, chunks=(13, 30, 20))):
        found = pearson_map(make_stack(kept), references)
        assert_array_equal(found.scores, whole.scores)


def test_input_is_left_as_it_was():
    data = np.random.default_rng(21).random((13, 5, 5), dtype=np.float32)
    before = data.copy()
    pearson_map(make_stack(data), make_references(2, 13))
    assert_array_equal(data, before)


def test_memory_beyond_input_and_result_stays_small():
    stack = make_stack(np.random.default_rng(22).random((13, 1000, 1000), np.float32))
    references = make_references(5, 13)
    pearson_map(stack, references)
    tracemalloc.start()
    phases = pearson_map(stack, references, keep_scores=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kept = sum(
        getattr(phases, k).nbytes for k in ("labels", "runner_up", "best", "margin")
    )
    assert peak - kept < 64e6


def test_real_end_members_rank_real_spectra_like_float64(real_data):
    folder = real_data / "als-toner-71214078-fe2p"
    tifffile = pytest.importorskip("tifffile")
    counts = tifffile.imread(folder / "derived" / "71214078_counts.tif")
    energy, i0 = np.loadtxt(folder / "answers" / "i0.xsp").T
    stack = make_stack(-np.log(counts / i0[:, None, None]), energy)
    spectra = [
        np.loadtxt(folder / "answers" / f"{n}.t")[:, 1] for n in ("oxidized", "reduced")
    ]
    references = ReferenceSpectra(["oxidized", "reduced"], energy, spectra)
    phases = pearson_map(stack, references)
    assert_same_ranking(phases, float64_scores(stack.spectra(), references))


def test_a_failing_compiler_falls_back_to_numpy(engine, monkeypatch, caplog):
    if engine == "numpy":
        pytest.skip("nothing to fail")
    from napari_phasemap.core.phases import kernels

    def fail(*args):
        raise RuntimeError("LLVM ERROR")

    monkeypatch.setattr(kernels, "rank_pixels", fail)
    stack = make_stack(np.random.default_rng(23).random((13, 4, 4)))
    phases = pearson_map(stack, make_references(3, 13))
    assert "numpy is used instead" in caplog.text
    assert_same_ranking(phases, float64_scores(stack.spectra(), make_references(3, 13)))


def test_importing_the_module_does_not_import_numba(engine):
    code = (
        "import sys, napari_phasemap.core.phases.correlation as c; c.pearson_map; "
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
