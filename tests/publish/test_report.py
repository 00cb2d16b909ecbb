import re
from dataclasses import replace
from html.parser import HTMLParser

from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.image.segmentation.doubts import flags
from lungprep.image.segmentation.findings import Findings
from lungprep.publish.flags import WORDS, in_words
from lungprep.publish.report import page

SIDECAR = SidecarFacts("e", "r", "s", None, "1.2", 3, 2)


def facts(*flags):
    return replace(SIDECAR, flags=flags)


COHORT = {
    "A": facts(),
    "B": facts("near_lossless"),
    "C": facts("incomplete_coverage"),
    "D": facts("incomplete_coverage", "near_lossless"),
    "broken": SidecarFacts.of("e", b"{"),
}


class Elements(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_doubtful_masks_come_first_then_flagged_scans():
    images = Elements(page(COHORT, [])).all("img")
    assert [image["src"] for image in images] == ["C.png", "D.png", "B.png", "A.png"]
    assert images[1]["alt"] == "Lungs of D: lungs cut by the first or last slice; near lossless"
    assert images[3]["alt"] == "Lungs of A: no flags"


def test_patients_come_in_the_order_of_doubt():
    doubts = {"A": 0.2, "B": 0.9, "C": 0.5, "D": 0.5}
    cohort = {p: replace(facts(), doubt=value) for p, value in doubts.items()}
    cohort["D"] = replace(facts("lopsided_lungs"), doubt=0.5)
    cohort["before"] = facts()
    elements = Elements(page(cohort, []))
    sources = [image["src"] for image in elements.all("img")]
    assert sources == ["B.png", "D.png", "C.png", "A.png", "before.png"]
    assert elements.text.count("doubt 0.") == 4


def test_each_button_leaves_the_patients_that_it_counts():
    html = page(COHORT, [])
    elements = Elements(html)
    names = [button["id"] for button in elements.all("input")]
    assert names == ["all", "f0", "f1", "none"]
    counts = re.findall(r"(all|lungs cut[\w ]*|near lossless|no flags) \((\d)\)", elements.text)
    assert [int(count) for _, count in counts] == [4, 2, 2, 1]
    classes = [figure["class"].split() for figure in elements.all("figure")]
    for name, (_, count) in zip(names[1:], counts[1:], strict=True):
        assert sum(name in of_figure for of_figure in classes) == int(count)
        assert f"body:has(#{name}:checked) figure:not(.{name})" in html.decode()


def test_failures_are_counted_and_escaped():
    elements = Elements(page(COHORT, ["P9: no <air>; check & see"]))
    assert "4 patients, 3 with flags, 1 without result" in elements.text
    assert "P9: no <air>; check & see" in elements.text
    assert not elements.all("air")


def test_a_flag_of_any_name_is_harmless():
    elements = Elements(page({"A": facts('"><script>x</script>')}, []))
    assert not elements.all("script")
    assert elements.all("img")[0]["alt"].endswith('"><script>x</script>')


def test_an_empty_cohort_is_a_page_without_buttons():
    elements = Elements(page({}, []))
    assert not elements.all("input")
    assert not elements.all("img")


def test_every_flag_of_a_mask_has_words():
    worst = Findings(
        **dict.fromkeys(Findings.__dataclass_fields__, 0.0)
        | {"left_ml": 9000.0, "touches": ("head", "left")}
    )
    assert len(flags(worst)) == 6
    assert set(flags(worst)) <= WORDS.keys()
    assert in_words("gantry_tilt_sheared") == "gantry tilt sheared"
