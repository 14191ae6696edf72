"""The other side of eels_speed.py; runs where HyperSpy and eXSpy are installed.

Prints one JSON line per measurement: CPU seconds and what is compared.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")


def timed(label, function, repeats=1):
    """Print the CPU seconds of a call (the best of several) and return its value."""
    best, value = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        value = function()
        best = min(best, time.process_time() - start)
    print(json.dumps({"label": label, "cpu": best}), flush=True)
    return value


def signal_of(array, offset, scale):
    import exspy

    signal = exspy.signals.EELSSpectrum(array)
    axis = signal.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = offset, scale, "eV"
    return signal


def backgrounds(folder, task):
    cube = np.load(folder + "/cube.npy")
    for name, (fit, window) in task["windows"].items():
        signal = signal_of(cube, *task["axis"])

        def cropped(signal=signal, fit=fit, window=window):
            part = signal.isig[float(fit[0]) : float(window[1])]
            return part.remove_background(
                signal_range=tuple(map(float, fit)), fast=True, show_progressbar=False
            )

        timed(f"cropped {name}", cropped)

        def whole(signal=signal, fit=fit):
            return signal.remove_background(
                signal_range=tuple(map(float, fit)), fast=True, show_progressbar=False
            )

        timed(f"whole {name}", whole)


def noise(folder, task):
    cube = np.load(folder + "/noise.npy")
    signal = signal_of(cube, *task["axis"])
    fit, window = task["window"]
    net = signal.remove_background(
        signal_range=tuple(map(float, fit)), fast=True, show_progressbar=False
    )
    net = net.isig[float(window[0]) : float(window[1])].data.sum(axis=-1)
    np.save(folder + "/noise_net.npy", net)


def chain(folder, task):
    from sklearn.cluster import KMeans

    cube = np.load(folder + "/cube.npy")

    def run():
        for fit, window in task["windows"].values():
            signal = signal_of(cube, *task["axis"])
            part = signal.isig[float(fit[0]) : float(window[1])]
            net = part.remove_background(
                signal_range=tuple(map(float, fit)), fast=True, show_progressbar=False
            ).isig[float(window[0]) :]
            net.change_dtype("float32")
            net.decomposition(print_info=False, output_dimension=10)
            scores = net.get_decomposition_loadings().data.reshape(10, -1).T
            KMeans(8, n_init=10, random_state=0).fit(scores)

    timed("HyperSpy chain", run)


def published(folder, task):
    """PCA 30 whitened, UMAP of all pixels, k-means 20, as the published notebook."""
    import umap
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    cube = np.load(folder + "/cube.npy")
    fit, window = next(iter(task["windows"].values()))

    def run():
        signal = signal_of(cube, *task["axis"])
        part = signal.isig[float(fit[0]) : float(window[1])]
        net = (
            part.remove_background(
                signal_range=tuple(map(float, fit)), fast=True, show_progressbar=False
            )
            .isig[float(window[0]) :]
            .data
        )
        scores = PCA(30, whiten=True).fit_transform(net.reshape(-1, net.shape[-1]))
        placed = umap.UMAP(n_neighbors=20, min_dist=0.1, random_state=42)
        KMeans(20, n_init=10, random_state=42).fit(placed.fit_transform(scores))

    timed("published, one edge", run)


def thickness(folder, task):
    cube = np.load(folder + "/low.npy")

    def run():
        signal = signal_of(cube, *task["low_axis"])
        signal.align_zero_loss_peak(show_progressbar=False, print_stats=False)
        threshold = signal.estimate_elastic_scattering_threshold(window=10.0)
        return signal.estimate_thickness(threshold=threshold)

    np.save(folder + "/thickness.npy", timed("eXSpy thickness", run).data)


def umap_full(folder, task):
    import umap

    scores = np.load(folder + "/scores.npy")
    umap.UMAP(n_neighbors=20, random_state=0).fit(scores[:5000])  # compiles

    def run():
        model = umap.UMAP(n_neighbors=20, min_dist=0.1, random_state=0)
        return model.fit_transform(scores)

    np.save(folder + "/umap.npy", timed("UMAP of all pixels", run))


if __name__ == "__main__":
    with open(sys.argv[1] + "/task.json", encoding="utf-8") as file:
        instructions = json.load(file)
    for name in sys.argv[2:]:
        globals()[name](sys.argv[1], instructions)
