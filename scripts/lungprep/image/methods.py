"""The methods of segmentation: what each needs of its environment, and what its jobs ask for.

No network is imported here: `segmentation.methods` imports the chosen one by its name.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """Requirements of a method. docs/networks.md has the measurements.

    Attributes
    ----------
    threads : int
        Cores of one segmentation.
    minutes : int
        Minutes of a core per patient, with a margin for slow stores and nodes.
    packages : tuple of str
        Distributions whose versions affect the voxels; each is imported by the same name.
    weights : str
        Description of the file or folder that ``segment.weights`` must name, for users. The
        classical method has none.
    process_mb : int
        Memory of the process, MB.
    volumes : float
        Memory of a segmentation beside the process, as a multiple of the volume.
    shard_mb : int
        Memory of a segmentation in a shard's job, MB; 0 if a core's own memory is enough.
    """

    threads: int
    minutes: int
    packages: tuple[str, ...] = ()
    weights: str = ""
    process_mb: int = 0
    volumes: float = 0
    shard_mb: int = 0


DATASET = "dataset.json"
PLANS = "plans.json"
CHECKPOINTS = "fold_*/checkpoint_final.pth"
METHODS = {
    "classical": Method(threads=1, minutes=1),
    "lungmask": Method(
        threads=4,
        minutes=10,
        packages=("torch", "lungmask"),
        weights="the file of the R231 model (unet_r231-*.pth)",
        process_mb=1500,
        volumes=10,
        shard_mb=5000,
    ),
    "totalsegmentator": Method(
        threads=4,
        minutes=15,
        packages=("torch", "nnunetv2", "dynamic-network-architectures"),
        weights=f"a folder of nnU-Net v2 with {DATASET}, {PLANS} and {CHECKPOINTS}",
        process_mb=3000,
        volumes=12,
        shard_mb=8000,
    ),
}
NETWORKS = {name: method for name, method in METHODS.items() if method.weights}
