"""Real networks of lungmask and nnU-Net with weights set by hand, so that the answer is known.

Everything is zero but for a few weights, which carry ramps from the first layer to the last: how
far a voxel lies below -500, -800 and -960 HU. Background scores nothing, one lung scores by the
first ramp, the other by the second, and air takes both back by the third.
"""

import copy
import json
import warnings

import numpy as np
import torch

LIMITS_HU = (-500, -800, -960)
# What each ramp scores, and a constant, for background, the denser lung and the airier one.
SCORES = {"none": (0, 0, 0, 0), "dense": (1, 0, -1000, -0.01), "airy": (0, 100, -1000, -0.01)}
RAMPS = range(len(LIMITS_HU))


def carry(weight, outputs, inputs):
    """Pass channels on through the centre of a kernel."""
    centre = tuple(n // 2 for n in weight.shape[2:])
    for a, b in zip(outputs, inputs, strict=True):
        weight[(a, b, *centre)] = 1.0


def ramps(weight, bias, limits, shift=0):
    """First layer: the ramps in its first channels, read `shift` voxels along the last axis."""
    centre = [n // 2 for n in weight.shape[2:]]
    centre[-1] += shift
    for channel, limit in enumerate(limits):
        weight[(channel, 0, *centre)] = -1.0
        bias[channel] = limit


def scores(weight, bias, classes):
    """Last layer, 1 x 1: a score by class."""
    for number, kind in classes.items():
        for channel in RAMPS:
            weight[number, channel] = SCORES[kind][channel]
        bias[number] = SCORES[kind][-1]


def rigged_r231(path, *, right="airy", left="dense", classes=3, **how):
    """Write the state of lungmask's U-Net, of the size that `lungmask.mask.UNet` has now."""
    from lungmask import mask

    options = {"depth": 5, "up_mode": "upsample", "batch_norm": True, "residual": False}
    state = mask.UNet(n_classes=classes, padding=True, **options).state_dict()
    for name, tensor in state.items():
        tensor.fill_(1.0 if name.endswith("running_var") else 0.0)
    limits = [(hu + 1024) / 1624 for hu in LIMITS_HU]
    up, down = "up_path.3.conv_block.block", "down_path.0.block"
    ramps(state[f"{down}.0.weight"], state[f"{down}.0.bias"], limits)
    # What comes from below fills the first half of the channels, what is kept of the way down the
    # second.
    skipped = state[f"{up}.0.weight"].shape[1] // 2
    carry(state[f"{up}.0.weight"], RAMPS, (skipped + k for k in RAMPS))
    for block in (up, down):
        carry(state[f"{block}.3.weight"], RAMPS, RAMPS)
        for norm in (2, 5):
            state[f"{block}.{norm}.weight"].fill_(1.0)
    scores(state["last.weight"], state["last.bias"], {0: "none", 1: right, 2: left})
    torch.save(state, path, **how)
    return path


FOREGROUND = {"mean": -300.0, "std": 400.0, "percentile_00_5": -1020.0, "percentile_99_5": 300.0}
PATCH = [16, 32, 32]
# As a version of nnU-Net of 2023 wrote it, which is that of TotalSegmentator's models.
OLD = {
    "UNet_class_name": "PlainConvUNet",
    "UNet_base_num_features": 4,
    "unet_max_num_features": 320,
    "n_conv_per_stage_encoder": [1, 1],
    "n_conv_per_stage_decoder": [1],
    "num_pool_per_axis": [1, 1, 1],
    "pool_op_kernel_sizes": [[1, 1, 1], [2, 2, 2]],
    "conv_kernel_sizes": [[3, 3, 3], [3, 3, 3]],
}
# As it writes it now; without normalisation, which would make thresholds relative.
NEW = {
    "architecture": {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": 2,
            "features_per_stage": [4, 8],
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": [[3, 3, 3], [3, 3, 3]],
            "strides": [[1, 1, 1], [2, 2, 2]],
            "n_conv_per_stage": [1, 1],
            "n_conv_per_stage_decoder": [1],
            "conv_bias": True,
            "norm_op": None,
            "norm_op_kwargs": None,
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.ReLU",
            "nonlin_kwargs": None,
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
}


def plans(architecture, spacing=(4.0, 3.0, 3.0), forward=(0, 1, 2)):
    """A plans.json with one configuration."""
    resampling = {
        f"resampling_fn_{what}": "resample_data_or_seg_to_shape"
        for what in ("data", "seg", "probabilities")
    }
    resampling |= {
        f"{name}_kwargs": {
            "is_seg": "seg" in name,
            "order": 1,
            "order_z": 0,
            "force_separate_z": None,
        }
        for name in list(resampling)
    }
    configuration = {
        "data_identifier": "nnUNetPlans_3d_fullres",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": PATCH,
        "median_image_size_in_voxels": [64, 96, 120],
        "spacing": [spacing[i] for i in forward],
        "normalization_schemes": ["CTNormalization"],
        "use_mask_for_norm": [False],
        "batch_dice": False,
        **resampling,
        **copy.deepcopy(architecture),
    }
    return {
        "dataset_name": "Dataset291_organs",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": configuration["spacing"],
        "original_median_shape_after_transp": [64, 96, 120],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": list(forward),
        "transpose_backward": [int(i) for i in np.argsort(forward)],
        "configurations": {"3d_fullres": configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": FOREGROUND},
    }


def checkpoint(network_weights):
    """All that a checkpoint of nnU-Net holds, NumPy's numbers of its training among it."""
    return {
        "network_weights": network_weights,
        "optimizer_state": {"state": {}, "param_groups": [{"lr": np.float64(0.01)}]},
        "grad_scaler_state": None,
        "logging": {"mean_fg_dice": [np.float64(0.9)], "train_losses": [np.float32(-0.8)]},
        "_best_ema": np.float64(0.91),
        "current_epoch": np.int64(1000),
        "init_args": {
            "configuration": "3d_fullres",
            "fold": 0,
            "unpack_dataset": True,
            "device": torch.device("cpu"),
        },
        "trainer_name": "nnUNetTrainerNoMirroring",
        "inference_allowed_mirroring_axes": None,
    }


def network(architecture, heads):
    """The network that nnU-Net builds from plans, and its state."""
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
    from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager

    with warnings.catch_warnings(action="ignore"):
        found = ConfigurationManager(copy.deepcopy({"patch_size": PATCH, **architecture}))
    return get_network_from_plans(
        found.network_arch_class_name,
        found.network_arch_init_kwargs,
        found.network_arch_init_kwargs_req_import,
        *(1, heads),
        deep_supervision=False,
    ).state_dict()


def rigged_organs(folder, classes, *, shift=0, **how):
    """Write plans and checkpoint of a model that knows lungs by density: `classes` by kind."""
    heads = len(json.loads((folder / "dataset.json").read_text())["labels"])
    state = network(NEW, heads)
    limits = [(hu - FOREGROUND["mean"]) / FOREGROUND["std"] for hu in LIMITS_HU]
    for tensor in state.values():
        tensor.fill_(0.0)
    # The same tensors go by two names each; either sets both.
    for name, tensor in state.items():
        if name.startswith("encoder.stages.0.") and name.endswith("conv.weight"):
            ramps(tensor, state[name.replace("weight", "bias")], limits, shift)
        elif name.startswith("decoder.stages.0.") and name.endswith("conv.weight"):
            skipped = tensor.shape[1] // 2
            carry(tensor, RAMPS, (skipped + k for k in RAMPS))
        elif name == "decoder.seg_layers.0.weight":
            scores(tensor, state["decoder.seg_layers.0.bias"], classes)
    (folder / "plans.json").write_text(json.dumps(plans(NEW, **how)))
    torch.save(checkpoint(state), folder / "fold_0" / "checkpoint_final.pth")
    return folder
