"""Run napari-phasemap from a terminal, without a window.

* ``info``: what is in a file.
* ``run``: from stacks and references to a folder of results.
* ``train``: a model of the latent space of many particles.
* ``compare``: methods against one another and against a truth.
* ``demo``: the main job on the sample particles.
* ``plan-energies``: which energies to measure next.
* ``eels``: from a spectrum image to classes of its edges and their bonds.

Exit codes: 0 all went well, 1 some particle or file failed, 2 wrong usage or nothing
could be done, 3 a bug of this program (its traceback is printed), 143 ended by SIGTERM,
which leaves as little behind as Ctrl-C.
"""

from __future__ import annotations

import signal
import threading
from typing import Any

import click

from napari_phasemap.cli.eels import eels
from napari_phasemap.cli.info import info
from napari_phasemap.cli.models import compare, train
from napari_phasemap.cli.plan import plan_energies
from napari_phasemap.cli.run import demo, run

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="napari-phasemap")
@click.pass_context
def main(context: click.Context) -> None:
    """Find the chemical phases in hyperspectral stacks, pixel by pixel."""
    # Whoever runs the command inside another program has handlers of their own.
    is_default = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if is_default and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
        context.call_on_close(_as_before)


def _as_before() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(*_: Any) -> None:
    """Leave through every ``finally``, so that nothing half is left."""
    raise SystemExit(128 + signal.SIGTERM)


for _command in (info, run, train, compare, demo, eels, plan_energies):
    main.add_command(_command)
