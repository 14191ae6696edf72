"""A picture that fills the canvas, over what was drawn before.

* `Picture`: RGBA pixels as a texture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from vispy import gloo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Picture"]

VERTEX = """
attribute vec2 a_corner;
varying vec2 v_place;
void main() {
    gl_Position = vec4(a_corner, 0.0, 1.0);
    v_place = vec2(0.5 + 0.5 * a_corner.x, 0.5 - 0.5 * a_corner.y);
}
"""
FRAGMENT = """
uniform sampler2D u_picture;
varying vec2 v_place;
void main() { gl_FragColor = texture2D(u_picture, v_place); }
"""
CORNERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], dtype=np.float32)


class Picture:
    """Draws pixels, the first row on top. `draw` needs a current OpenGL context."""

    def __init__(self) -> None:
        self._program = gloo.Program(VERTEX, FRAGMENT)
        self._program["a_corner"] = gloo.VertexBuffer(CORNERS)
        self._texture: gloo.Texture2D | None = None

    def draw(self, pixels: NDArray[np.uint8]) -> None:
        """Blend pixels of shape (height, width, 4) over everything."""
        if self._texture is None:
            self._texture = gloo.Texture2D(
                pixels, interpolation="nearest", wrapping="clamp_to_edge"
            )
            self._program["u_picture"] = self._texture
        else:
            self._texture.set_data(pixels)
        gloo.set_state(
            depth_test=False,
            blend=True,
            blend_func=(
                "src_alpha",
                "one_minus_src_alpha",
                "one",
                "one_minus_src_alpha",
            ),
            cull_face=False,
        )
        self._program.draw("triangle_strip")
