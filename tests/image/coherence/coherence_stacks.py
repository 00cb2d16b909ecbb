"""Thumbnails of a made-up body: smooth along the stack, with an outline, lungs, a heart, noise."""

import numpy as np

from lungprep.image.coherence.verdict import Evidence

GAP_MM = 2.0
#: Waves of tissue: cycles per block along y and x, cycles per mm along z, phase.
WAVES = np.random.default_rng(7).uniform(
    (-0.12, -0.12, 0.01, 0), (0.12, 0.12, 0.035, 2 * np.pi), (12, 4)
)


def body(
    heights_mm, *, noise_hu: float = 2.0, heart_x: float = 5.0, wide: float = 14.0, seed: int = 0
):
    """float32 (n, 32, 32): an ellipse of tissue, lungs that change along the body, a heart."""
    y, x = np.arange(32)[:, None] - 15.5, np.arange(32) - 15.5
    stack = []
    for height in np.asarray(heights_mm, float):
        inside = (x / (wide + np.sin(height / 30))) ** 2 + (y / (0.8 * wide)) ** 2 < 1
        phases = np.tensordot(WAVES[:, :3], [y + 0 * x, x + 0 * y, height + 0 * x * y], 1)
        tissue = 30 * np.cos(2 * np.pi * phases + WAVES[:, 3, None, None]).sum(axis=0)
        lungs = ((np.abs(x) - 6) / (3 + np.sin(height / 25))) ** 2 + (y / 5) ** 2 < 1
        heart = ((x - heart_x) / (2 + np.sin(height / 21))) ** 2 + ((y - 1) / 3) ** 2 < 1
        hu = np.where(inside, 40 + tissue, -1000)
        hu = np.where(lungs, -850 + tissue, hu)
        stack.append(np.where(heart, 50 + tissue, hu))
    random = np.random.default_rng(seed)
    noisy = np.stack(stack) + random.normal(0, noise_hu, (len(stack), 32, 32))
    return np.clip(noisy, -1024, 300).astype(np.float32)


def evidence(thumbnails, heights_mm=None, **values) -> Evidence:
    """What is known of a stack of thumbnails 2 mm apart, with blocks of 10 mm."""
    count = len(thumbnails)
    heights = np.arange(count) * GAP_MM if heights_mm is None else np.asarray(heights_mm)
    none = np.zeros(count, bool)
    return Evidence(thumbnails, heights, (10.0, 10.0), **{"metal": none, "empty": none, **values})
