"""What encoding a million spectra costs, against the bare matrix products.

One run, CPU time. "Bare" is the five products of the encoder by TensorFlow's own
`matmul` on the same chunks: no bias, no activation, no normalization, no copy.

    python benchmarks/encoding.py
"""

from __future__ import annotations

import argparse
import os
import resource
import time

import numpy as np

from napari_phasemap.core.data.stack_set import StackSet
from napari_phasemap.core.simulate import synthetic
from napari_phasemap.models.gmvae import GMVAE
from napari_phasemap.models.hardware import available_threads


def bare_products(model: GMVAE):
    """Return a function that does only the products of the encoder."""
    import tensorflow as tf

    from napari_phasemap.models.network import mapped

    layers = model.network_.encoder.layers
    kernels = [layer.kernel.value for layer in layers if hasattr(layer, "kernel")]
    *hidden, head, _ = kernels

    def rows(x):
        for kernel in [*hidden, head]:
            x = tf.matmul(x, kernel)
        return x

    return mapped(rows, model.n_energies_)


def cpu_seconds(function) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectra", type=int, default=1_000_000)
    n_spectra = parser.parse_args().spectra
    one = synthetic.particle((96, 120), seed=0)
    some = StackSet([one.optical_density]).spectra()
    spectra = np.resize(some, (n_spectra, some.shape[1]))
    print(f"{available_threads()} threads of {os.cpu_count()} processors; ", end="")
    print(f"{n_spectra} spectra of {some.shape[1]} energies\n")
    print("| what | CPU-s | / bare products |")
    print("|---|---|---|")
    for normalization in ("none", "standardize"):
        model = GMVAE(normalization=normalization, epochs=1, min_steps=0).fit(some)
        products = bare_products(model)
        chunk = model._runner("mean").chunk_rows

        def bare(products=products, chunk=chunk):
            for low in range(0, n_spectra, chunk):
                products(spectra[low : low + chunk])

        model.encode(some), products(some[:chunk])  # compiled before the clock runs
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        spent = {"bare": [], "encode": []}
        for _ in range(3):
            spent["bare"].append(cpu_seconds(bare))
            spent["encode"].append(
                cpu_seconds(lambda model=model: model.encode(spectra))
            )
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        least = min(spent["bare"])
        print(f"| bare products | {least:.2f} | 1 |")
        seconds = min(spent["encode"])
        name = f"encode, {normalization}"
        print(f"| {name} | {seconds:.2f} | {seconds / least:.2f} |")
        print(f"| (peak memory grew by {grown:.0f} MB) | | |")


if __name__ == "__main__":
    main()
