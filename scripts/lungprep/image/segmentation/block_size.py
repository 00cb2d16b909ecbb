"""How many voxels make a block."""

TARGET_MM = 2.0


def block_size(
    spacing_mm: tuple[float, float, float], target_mm: float = TARGET_MM
) -> tuple[int, int, int]:
    """Voxels per block, (z, y, x), that come nearest to the wanted edge; at least one."""
    kz, ky, kx = (max(1, int(target_mm / step + 0.5)) for step in spacing_mm)
    return kz, ky, kx
