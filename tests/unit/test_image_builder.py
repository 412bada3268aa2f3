"""What the image builder decides to build, and in which order, with the engine and the builds replaced.

Cannot decide whether an image can be built: that takes the package registries.
"""

import pytest

from images import builder, recipes
from images.builder import Image, ensure_images
from toolchain.console import BootstrapError

BASE = Image(name="debian", base=None)
SERVER = Image(name="prometheus")
OTHER = Image(name="grafana", inputs=("one",))


@pytest.fixture
def built(monkeypatch):
    """The names of the images that were built, in order; the engine remembers their hashes."""
    present, order = {}, []

    def build(image, inputs, below):
        if below:
            below.result()
        order.append(image.name)
        present[image.tag] = inputs

    monkeypatch.setattr(recipes, "IMAGES", (BASE, SERVER, OTHER))
    monkeypatch.setattr(
        builder, "_present", lambda images: {i.tag: present[i.tag] for i in images if i.tag in present}
    )
    monkeypatch.setattr(builder, "_build", build)
    return order


def test_all_are_built_once_and_their_base_first(built):
    ensure_images()
    assert built[0] == "debian"
    assert sorted(built) == ["debian", "grafana", "prometheus"]
    ensure_images()
    assert len(built) == 3


def test_a_name_brings_its_base_alone(built):
    ensure_images(["prometheus"])
    assert built == ["debian", "prometheus"]


def test_other_inputs_build_only_the_image_they_concern(built, monkeypatch):
    ensure_images()
    monkeypatch.setattr(recipes, "IMAGES", (BASE, SERVER, Image(name="grafana", inputs=("two",))))
    ensure_images()
    assert built[3:] == ["grafana"]


def test_a_new_base_builds_what_stands_on_it(built, monkeypatch):
    ensure_images()
    monkeypatch.setattr(recipes, "IMAGES", (Image(name="debian", base=None, inputs=("new",)), SERVER, OTHER))
    ensure_images()
    assert built[3] == "debian"
    assert sorted(built[3:]) == ["debian", "grafana", "prometheus"]


def test_a_failed_build_ends_the_rest(built, monkeypatch):
    def fail(image, *_):
        raise BootstrapError(image.name)

    monkeypatch.setattr(builder, "_build", fail)
    with pytest.raises(BootstrapError):
        ensure_images()
    assert built == []


def test_an_unknown_name_is_refused_with_the_known_ones(built):
    with pytest.raises(BootstrapError, match=r"no image 'grafna'.*debian, grafana, prometheus"):
        ensure_images(["grafna"])
    assert built == []
