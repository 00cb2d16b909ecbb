"""The chest that most cases start from."""

from dataclasses import replace

from lungprep_demo.phantom.anatomy import Part
from lungs import surroundings
from lungs.thorax import Thorax


def lying(**options: object) -> Thorax:
    """An adult on a curved table, with other options of a `Thorax`."""
    return replace(Thorax(before=surroundings.curved_table()), **options)  # type: ignore[arg-type]


def with_parts(*in_lungs: Part, after: tuple[Part, ...] = (), **options: object) -> Thorax:
    """The same with parts in the lungs, and others that are painted last."""
    return lying(**options).plus(*in_lungs, after=after)
