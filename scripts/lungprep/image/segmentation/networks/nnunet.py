"""A trained model of nnU-Net v2 from its folder, and the classes that it gives.

nnU-Net's own loader unpickles the checkpoint and imports whatever class ``plans.json`` names. Here
the checkpoint is read as data, the names are checked, and nnU-Net builds, normalises and predicts.
"""

import json
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lungprep.errors import ConfigError
from lungprep.image.methods import DATASET, PLANS
from lungprep.image.segmentation.networks.checkpoints import read_checkpoint
from lungprep.image.volume import Triple, triple
from lungprep.image.weights import checkpoints

# How far one tile lies from the next, in tiles: TotalSegmentator's value for its 1.5 mm models.
STEP = 0.8
_NETWORK = re.compile(r"dynamic_network_architectures\.architectures\.\w+\.[A-Z]\w*")
_PART = re.compile(r"torch\.nn\.(?:modules\.\w+\.)?[A-Z]\w*")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NNUNet:
    """A model that is ready to predict.

    Attributes
    ----------
    predictor : nnunetv2.inference.predict_from_raw_data.nnUNetPredictor
        With network, plans and weights.
    """

    predictor: Any

    @property
    def spacing_mm(self) -> Triple:
        """Distance between voxel centres that the model was trained on, (z, y, x)."""
        spacing = self.predictor.configuration_manager.spacing
        return triple(spacing[i] for i in self.predictor.plans_manager.transpose_backward)

    def classes(self, hu: NDArray[np.int16]) -> NDArray[np.uint8]:
        """Predict the class of each voxel.

        Parameters
        ----------
        hu : ndarray of int16
            Axes (z, y, x) as in RAS+, of the model's spacing.

        Returns
        -------
        ndarray of uint8
            Same shape. The scores of all classes are held at once, in half precision.
        """
        plans = self.predictor.plans_manager
        configuration = self.predictor.configuration_manager
        with _quietly():
            preprocessor = configuration.preprocessor_class(verbose=False)
            data, _, facts = preprocessor.run_case_npy(
                *(hu[None], None, {"spacing": list(self.spacing_mm)}),
                *(plans, configuration, self.predictor.dataset_json),
            )
            scores = self.predictor.predict_logits_from_preprocessed_data(torch.from_numpy(data))
        found = np.zeros(facts["shape_before_cropping"], np.uint8)
        inside = found[tuple(slice(*edges) for edges in facts["bbox_used_for_cropping"])]
        for k, slice_ in enumerate(inside):
            slice_[...] = scores[:, k].argmax(0).numpy()
        return found.transpose(plans.transpose_backward)


def load(folder: Path, *, threads: int) -> NNUNet:
    """Build a model from its folder, on the first GPU where there is one.

    Parameters
    ----------
    folder : Path
        ``dataset.json``, ``plans.json`` and ``fold_*/checkpoint_final.pth``; several folds are
        averaged.
    threads : int
        Threads of PyTorch.

    Raises
    ------
    ConfigError
        The model is not whole, not of one CT channel in 3-D with plain classes, names code other
        than network parts, or a checkpoint holds more than data.
    """
    torch.set_num_threads(threads)
    found = [read_checkpoint(path) for path in checkpoints(folder)]
    try:
        with _quietly():
            predictor = _predictor(folder, found)
    except KeyError as error:
        raise ConfigError(f"the model in {folder} lacks {error}", "get the model anew") from error
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"the weights in {folder} do not fit its plans.json ({reason})", "get the model anew"
        ) from error
    # The fastest algorithm of a GPU is chosen by a race, and may differ from run to run.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    return NNUNet(predictor)


def _predictor(folder: Path, found: list[dict[str, Any]]) -> Any:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
    from nnunetv2.utilities.label_handling.label_handling import determine_num_input_channels
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    dataset = json.loads((folder / DATASET).read_text("utf-8"))
    plans = PlansManager(json.loads((folder / PLANS).read_text("utf-8")))
    configuration = plans.get_configuration(found[0]["init_args"]["configuration"])
    labels = plans.get_label_manager(dataset)
    heads = labels.num_segmentation_heads
    channels = determine_num_input_channels(plans, configuration, dataset)
    if labels.has_regions or heads > 256 or channels != 1 or len(configuration.spacing) != 3:
        raise ConfigError(
            f"the model in {folder} is no 3-D model of one channel with up to 256 plain classes",
            "take one like TotalSegmentator's Dataset291 (organs)",
        )
    _check_names(configuration.configuration["architecture"], folder)
    network = get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        *(channels, heads),
        allow_init=False,
        deep_supervision=False,
    )
    weights = [checkpoint["network_weights"] for checkpoint in found]
    for fold in weights:
        network.load_state_dict(fold)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    predictor = nnUNetPredictor(STEP, use_mirroring=False, device=device, allow_tqdm=False)
    trainer = found[0]["trainer_name"]
    predictor.manual_initialization(
        network,
        plans,
        configuration,
        weights,
        dataset,
        trainer,
        inference_allowed_mirroring_axes=None,
    )
    return predictor


def _check_names(architecture: dict[str, Any], folder: Path) -> None:
    """Refuse names that lead elsewhere than to network parts: nnU-Net imports and calls them."""
    options = architecture["arch_kwargs"]
    parts = [options[key] for key in architecture["_kw_requires_import"] if options[key]]
    good = _NETWORK.fullmatch(architecture["network_class_name"])
    if not good or not all(_PART.fullmatch(part) for part in parts):
        names = ", ".join(map(repr, (architecture["network_class_name"], *parts)))
        raise ConfigError(
            f"plans.json in {folder} names code other than network parts (of {names})",
            "get the model anew from its authors",
        )


@contextmanager
def _quietly() -> Iterator[None]:
    """Send what nnU-Net prints to the log, and drop its warnings of older plans."""
    with redirect_stdout(StringIO()) as said, warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield
    for line in said.getvalue().splitlines():
        logger.info("nnU-Net: %s", line)
