"""The options of a load are the config's, default by default."""

from dataclasses import asdict

from lungprep.config.schema import complete, read_schema
from lungprep.image.series.policy import LoadOptions


def test_options_are_section_load_of_the_config():
    stock = complete({"source": "s", "target": "t"}, read_schema())["load"]
    assert asdict(LoadOptions()) == stock


def test_without_repairs_every_defect_is_an_error():
    keys = {key for key in asdict(LoadOptions()) if key.startswith("on_")} - {"on_stray_slices"}
    repairs = dict.fromkeys(keys, "repair")
    assert len(repairs) == 4
    assert LoadOptions(**repairs).without_repairs() == LoadOptions()
