"""Make every picture of README and docs by the program itself.

    QT_API=pyqt6 xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_pictures.py

Names of scenes after it make only those: ``stxm latent gif eels figures``. The scene
``narrow`` leaves pictures of a small window in the temporary folder, to be looked at.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from qtpy.QtWidgets import QDockWidget

from napari_phasemap.views.demo import LASSOED, Stage, lasso_path
from napari_phasemap.views.shell.kinds import AMBIGUITY, PHASE, SHADED

PICTURES = Path(__file__).parent / "pictures"
#: Pixels of a window, of its picture in the docs, and of one frame of the GIF.
WINDOW, SHOWN, FRAME = (1400, 860), 1100, 860
#: Small patches of color matter as much as large ones, and large ones stay exact.
PALETTE = {
    "colors": 256,
    "method": Image.Quantize.MAXCOVERAGE,
    "kmeans": 5,
    "dither": Image.Dither.NONE,
}


def keep(source: Path | np.ndarray, name: str, *, width: int = SHOWN) -> None:
    """Write a picture in a palette, no wider than the docs show it."""
    image = Image.open(source) if isinstance(source, Path) else Image.fromarray(source)
    image = image.convert("RGB")
    if image.width > width:
        height = round(image.height * width / image.width)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    path = PICTURES / f"{name}.png"
    image.quantize(**PALETTE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")


def shoot(stage: Stage, name: str) -> None:
    """Keep the whole window as a picture."""
    keep(stage.shoot(name), name)


def opened(folder: Path, **options: Any) -> tuple[Stage, Any]:
    """Return a stage with the sample particles correlated, and the dock that did it."""
    stage = Stage(folder, size=WINDOW, **options)
    dock = stage.dock("Phase map")
    dock.open_sample()
    stage.wait(lambda: stage.workspace.references is not None, "opening the sample")
    stage.run(dock, dock.correlate, "correlating")
    return stage, dock


def trained(stage: Stage) -> Any:
    """Train the recommended model; return the dock."""
    dock = stage.dock("Latent space")
    stage.run(dock, dock.train, "training")
    stage.run(dock, dock.resolve, "resolving")
    stage.viewer.reset_view()
    return dock


def fit(stage: Stage) -> None:
    """Show all particles, once the docks have the sizes that they keep."""
    stage.settle(0.5)
    stage.viewer.reset_view()


def make_room(stage: Stage) -> None:
    """Fold napari's own docks away, so that images and points have the window."""
    window = stage.viewer.window._qt_window
    for box in window.findChildren(QDockWidget):
        if box.windowTitle() in ("layer list", "layer controls"):
            box.setVisible(False)


def pointed_at(stage: Stage) -> None:
    """Point at a pixel in the middle of the first particle."""
    stage.workspace.cursor = int(stage.workspace.stacks.offsets[1]) // 2


def stxm(folder: Path) -> None:
    """Counts, optical density, mask, references, phase map, threshold."""
    stage = Stage(folder, size=WINDOW)
    data = stage.dock("Data")
    data.open_sample()
    stage.wait(lambda: len(stage.workspace.sources) == 4, "opening counts")
    fit(stage)
    shoot(stage, "stxm_counts")
    stage.run(data, data.convert, "optical density")
    data.mask()
    fit(stage)
    shoot(stage, "stxm_density")
    from napari_phasemap.io.samples import sample_references

    phase_map = stage.dock("Phase map")
    phase_map.load_references(sample_references())
    stage.wait(lambda: stage.workspace.references is not None, "references")
    stage.run(phase_map, phase_map.correlate, "correlating")
    fit(stage)
    shoot(stage, "stxm_phase_map")
    phase_map.scroll.verticalScrollBar().setValue(10_000)
    phase_map.set_layer(PHASE, False)
    phase_map.set_layer(AMBIGUITY, False)
    phase_map.set_layer(SHADED, True)
    stage.dock("Spectra")
    fit(stage)
    pointed_at(stage)
    shoot(stage, "stxm_reliability")
    stage.viewer.close()


def latent(folder: Path) -> None:
    """Training, resolved phases, the linked view and its tabs."""
    stage, _ = opened(folder)
    dock = trained(stage)
    shoot(stage, "latent_train")
    dock.scroll.verticalScrollBar().setValue(10_000)
    shoot(stage, "latent_resolved")
    view = stage.dock("Latent view")
    stage.dock("Spectra")
    make_room(stage)
    fit(stage)
    pointed_at(stage)
    path = lasso_path(stage, view, LASSOED)
    view.tools.set_tool("lasso")
    stage.drag(view.scatter.native, path)
    view.tools.set_tool("navigate")
    shoot(stage, "latent_view")
    view.show_page("selection")
    shoot(stage, "latent_selection")
    stage.viewer.theme = "light"
    shoot(stage, "latent_light")
    stage.viewer.close()


def gif(folder: Path) -> None:
    """Lasso in the scatter, pixels light up in the images, spectra appear."""
    stage, _ = opened(folder)
    trained(stage)
    view = stage.dock("Latent view")
    spectra = stage.dock("Spectra")
    spectra.bar.set_way("normalized")
    make_room(stage)
    fit(stage)
    frames: list[tuple[Image.Image, int]] = []

    def frame(milliseconds: int) -> None:
        stage.settle(0.15)
        pixels = stage.viewer.screenshot(canvas_only=False, flash=False)
        image = Image.fromarray(pixels).convert("RGB")
        size = (FRAME, round(image.height * FRAME / image.width))
        image = image.resize(size, Image.Resampling.LANCZOS)
        frames.append((image, milliseconds))

    start = view.scatter.camera
    path = lasso_path(stage, view, LASSOED)
    aim = view.scatter.camera
    turn = (aim.azimuth - start.azimuth + 180) % 360 - 180
    for share in np.linspace(0.0, 1.0, 9):
        camera = replace(start, azimuth=start.azimuth + share * turn)
        view.scatter.set_camera(camera)
        stage.settle(0.4)
        frame(700 if share == 0 else 120)
    view.tools.set_tool("lasso")
    steps = iter(range(1000))
    stage.drag(
        view.scatter.native,
        path,
        on_step=lambda: frame(90) if next(steps) % 4 == 3 else None,
    )
    frame(2200)
    stacks = stage.workspace.stacks
    line = [stacks.pixel_at(3, row, 40) for row in range(10, 60, 4)]
    for pixel in line:
        if pixel is not None:
            stage.workspace.hover = pixel
            frame(200)
    frame(1800)
    write_gif(frames, PICTURES / "lasso.gif")
    stage.viewer.close()


def write_gif(frames: list[tuple[Image.Image, int]], path: Path) -> None:
    """Write frames in one palette, so that what does not change costs nothing."""
    some = [np.asarray(image) for image, _ in frames[:: len(frames) // 5]]
    everything = Image.fromarray(np.concatenate(some))
    palette = everything.quantize(**PALETTE)
    images = [
        image.quantize(palette=palette, dither=Image.Dither.NONE) for image, _ in frames
    ]
    images[0].save(
        path,
        save_all=True,
        append_images=images[1:],
        duration=[milliseconds for _, milliseconds in frames],
        loop=0,
        optimize=False,
        disposal=1,
    )
    print(f"{path.name}: {len(images)} frames, {path.stat().st_size / 1024:.0f} kB")


def eels(folder: Path) -> None:
    """Edges of the sample composite, their classes, and the pairs of classes."""
    stage = Stage(folder, size=WINDOW)
    dock = stage.dock("EELS classes")
    stage.viewer.open_sample("napari-phasemap", "composite")
    stage.settle(1.0)
    stage.run(dock, dock.measure_thickness, "thickness")
    dock.pages.setCurrentIndex(0)
    fit(stage)
    shoot(stage, "eels_image")
    for name in ("Si_L", "C_K", "O_K"):
        dock.setup.add_edge(name)
    dock.pages.setCurrentIndex(1)
    dock.setup.table.selectRow(0)
    rows, cols = stage.workspace.stacks[0].shape
    stage.workspace.cursor = stage.workspace.stacks.pixel_at(0, rows // 2, cols // 2)
    stage.wait(lambda: not dock.job.running, "preview")
    stage.settle(1.0)
    shoot(stage, "eels_edges")
    stage.run(dock, dock.run_all, "edges")
    stage.viewer.layers["thickness t/λ"].visible = False
    stage.settle(1.0)
    stage.dock("Spectra")
    fit(stage)
    shoot(stage, "eels_classes")
    pairs = stage.dock("Co-occurrence")
    stage.run(pairs, pairs.compare, "pairs")
    for layer in stage.viewer.layers:
        layer.visible = layer.name.endswith("core loss")
    pairs.show_layer()
    fit(stage)
    shoot(stage, "eels_pairs")
    stage.viewer.close()


def narrow(folder: Path) -> None:
    """Every dock in a small, light window, to be looked at; not for the docs."""
    stage, _ = opened(folder, theme="light")
    stage.viewer.window.resize(1100, 700)
    stage.dock("Spectra")
    trained(stage)
    for name in ("Data", "Phase map", "Latent space", "Latent view"):
        stage.dock(name)
        fit(stage)
        stage.output = Path(tempfile.gettempdir())
        print(stage.shoot("narrow_" + name.replace(" ", "_")))
    stage.viewer.close()


def figures(folder: Path) -> None:
    """What the command line leaves in its folder."""
    from napari_phasemap.io.samples import sample_paths, sample_references
    from napari_phasemap.pipeline import run

    run(sample_paths(), sample_references(), folder / "results")
    for name in ("phase_and_reliability", "spectra", "correlation"):
        keep(folder / "results" / f"{name}.png", f"figure_{name}")


SCENES = {
    "stxm": stxm,
    "latent": latent,
    "gif": gif,
    "eels": eels,
    "figures": figures,
}
CHECKS = {"narrow": narrow}


def main() -> None:
    """Make all pictures, or the scenes that were named."""
    PICTURES.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SCENES:
        with tempfile.TemporaryDirectory() as folder:
            (SCENES | CHECKS)[name](Path(folder))


if __name__ == "__main__":
    main()
