"""An adult thorax as layers of parts that cases can add to."""

from dataclasses import dataclass, field, replace

from lungprep_demo.phantom.anatomy import Part
from lungprep_demo.phantom.chest import Phantom
from lungprep_demo.phantom.shapes import Solid
from lungs.anatomy import (
    CAGE,
    LEFT_DOME,
    LEFT_HILUM,
    RIGHT_DOME,
    RIGHT_HILUM,
    Region,
    airways,
    bones,
    diaphragm,
    mediastinum,
    wall,
)
from lungs.solids import Half, Outside, Slab, both
from lungs.trees import bronchi, vessels

LUNG_HU = -860.0
#: Where lungs meet: before the great vessels, and between spine and oesophagus.
JUNCTIONS = (
    both(Half((0, 1, 0), -30.0), Half((0, 0, 1), 95.0), Half((0, 0, -1), -5.0)),
    both(Half((0, -1, 0), -40.0), Half((0, 0, 1), 115.0), Half((0, 0, -1), -50.0)),
)
#: The anterior one all the way from apex to diaphragm, as in severe emphysema.
LONG_JUNCTIONS = (Half((0, 1, 0), -30.0), JUNCTIONS[1])


@dataclass(frozen=True)
class Thorax:
    """Layers of parts, painted in this order.

    Attributes
    ----------
    before : tuple of Part
        Painted first, around and in the body: table, arms, head, legs.
    shift_mm : float
        The mediastinum's shift to the patient's left.
    lung_hu : float
        Parenchyma.
    absent : tuple of int
        Lungs whose cavity holds tissue instead.
    trees : bool
        Whether there are vessels and bronchi in the lungs.
    in_lungs : tuple of Part
        Nodules, tumours, consolidation; with label None they count as lung.
    junction_mm : float, optional
        Thickness of what parts the lungs at the anterior and posterior junctions, where they all
        but touch; None for no such places.
    junctions : tuple of Solid
        These places.
    domes : tuple of Solid
        Right and left one of the diaphragm.
    after : tuple of Part
        Painted last: gas, effusion's like goes into `in_lungs`.
    scale : float
        Size.
    """

    before: tuple[Part, ...] = ()
    shift_mm: float = 0.0
    lung_hu: float = LUNG_HU
    absent: tuple[int, ...] = ()
    trees: bool = True
    in_lungs: tuple[Part, ...] = ()
    junction_mm: float | None = None
    junctions: tuple[Solid, ...] = JUNCTIONS
    domes: tuple[Solid, ...] = (RIGHT_DOME, LEFT_DOME)
    after: tuple[Part, ...] = ()
    scale: float = 1.0
    lesions: tuple[Solid, ...] = field(default=())

    def plus(self, *in_lungs: Part, after: tuple[Part, ...] = ()) -> "Thorax":
        """The same with more parts."""
        return replace(self, in_lungs=self.in_lungs + in_lungs, after=self.after + after)

    def with_lesions(self, hu: float, *solids: Solid) -> "Thorax":
        """The same with lesions, which count as lung where they lie in one."""
        lesions = tuple(Part(solid, hu, None) for solid in solids)
        return replace(self.plus(*lesions), lesions=self.lesions + solids)

    def phantom(self) -> Phantom:
        """All parts, from outside to inside."""
        parts = [*wall(), *self.before, *self._lungs(), *self.in_lungs, *self._septum()]
        parts += [*bones(), *mediastinum(self.shift_mm), *diaphragm(*self.domes)]
        parts += airways(self.shift_mm)
        return Phantom((*parts, *self.after), scale=self.scale)

    def side(self, side: int) -> Solid:
        """The cavity of one lung, organs not yet taken off."""
        sign = 1.0 if side == Region.RIGHT else -1.0
        return both(CAGE, Half((sign, sign * self._tilt, 0.0), sign * self.shift_mm))

    @property
    def _tilt(self) -> float:
        """The anterior junction runs obliquely to the left as it comes forward."""
        return 0.0 if self.junction_mm is None else 0.12

    def _septum(self) -> list[Part]:
        length = (1 + self._tilt**2) ** 0.5
        normal = (1 / length, self._tilt / length, 0.0)
        middle, within = (self.shift_mm, 0.0, 0.0), CAGE.grown(4.0)
        open_ = () if self.junction_mm is None else tuple(Outside(j) for j in self.junctions)
        parts = [Part(both(within, Slab(middle, normal, 6.0), *open_), 10.0, Region.MEDIASTINUM)]
        if self.junction_mm is not None:
            line = Slab(middle, normal, self.junction_mm / 2)
            parts.append(Part(both(within, line), 10.0, Region.MEDIASTINUM))
        return parts

    def _lungs(self) -> list[Part]:
        parts = []
        for side in (Region.RIGHT, Region.LEFT):
            if side in self.absent:
                parts.append(Part(self.side(side), 20.0, Region.WALL))
            else:
                parts.append(Part(self.side(side), self.lung_hu, side))
        if self.trees:
            for side, hilum in ((Region.RIGHT, RIGHT_HILUM), (Region.LEFT, LEFT_HILUM)):
                if side not in self.absent:
                    start = (hilum[0] + self.shift_mm, *hilum[1:])
                    parts += [*vessels(start, self.side(side)), *bronchi(start, self.side(side))]
        return parts
