"""What TensorFlow computes on: threads, graphics cards, number formats.

* `start_tensorflow`: import it quietly with a fixed number of threads.
* `multiplies_bfloat16`: whether the processor does so natively.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_phasemap.core.data.errors import MissingPackage

if TYPE_CHECKING:
    from napari_phasemap.models.presets import Precision

__all__ = ["chosen_precision", "multiplies_bfloat16", "start_tensorflow"]

_log = logging.getLogger(__name__)
_CPU_INFO = Path("/proc/cpuinfo")


def start_tensorflow(n_threads: int | None = None) -> tuple[int, str]:
    """Import TensorFlow and fix the number of threads of one operation.

    The number of threads changes the order of sums and so the last bits of a trained
    model, so it is pinned and recorded.

    Parameters
    ----------
    n_threads : int, optional
        Default: as many as this process may use. Once TensorFlow has computed in this
        process the number can no longer change; the one in force is then kept, with a
        logged warning.

    Returns
    -------
    n_threads : int
        The number in force.
    device : str
        "GPU" where TensorFlow finds one, else "CPU".

    Raises
    ------
    MissingPackage
        If TensorFlow is not installed or cannot be loaded.
    """
    # Informational lines ("this binary is optimized with ...") are for nobody here.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Otherwise TensorFlow takes the whole memory of a graphics card, canvas or not.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingPackage(
            f"TensorFlow cannot be loaded ({error}); install it with "
            "'pip install tensorflow'. Everything but the latent space works without."
        ) from error
    wanted = n_threads or available_threads()
    threading = tf.config.threading
    if threading.get_intra_op_parallelism_threads() != wanted:
        try:
            threading.set_intra_op_parallelism_threads(wanted)
        except RuntimeError:
            in_force = threading.get_intra_op_parallelism_threads()
            if n_threads is not None:
                _log.warning(
                    "TensorFlow already computes with %s threads in this process; "
                    "n_threads=%d is used from the next start on",
                    in_force or "all",
                    n_threads,
                )
            wanted = in_force or available_threads()
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return wanted, device


def available_threads() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def multiplies_bfloat16() -> bool:
    """Whether the processor has bfloat16 products (AVX512-BF16 or AMX; Linux)."""
    try:
        text = _CPU_INFO.read_text()
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool({"avx512_bf16", "amx_bf16"} & set(flags.split()))


def chosen_precision(precision: Precision, device: str) -> Precision:
    """Return "float32" or "bfloat16": what "auto" means here.

    Parameters
    ----------
    precision : Precision
        What was asked for.
    device : str
        "CPU" or the name of another one.

    Returns
    -------
    Precision
        "bfloat16" only where the processor multiplies it.
    """
    if precision != "auto":
        return precision
    native = device == "CPU" and multiplies_bfloat16()
    return "bfloat16" if native else "float32"
