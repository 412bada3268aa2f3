"""The table of versions: every name is complete, and a mirror is put where it belongs.

Decides the table's shape. Cannot decide whether a registry holds the images it names.
"""

import pytest

from configs.versions import image_for, lacks, release, version_of, versions

OFFICIAL = sorted(versions("official"))
PACKAGES = sorted(versions("packages"))


@pytest.mark.parametrize("service", OFFICIAL)
def test_an_official_image_is_pinned_and_takes_a_mirror(service):
    name, _, tag = image_for(service, "official").partition(":")
    assert "/" in name
    assert version_of(service, "official") in tag
    assert image_for(service, "official", "mirror.example/hub/") == f"mirror.example/hub/{name}:{tag}"


@pytest.mark.parametrize("service", PACKAGES)
def test_a_built_image_bears_our_name_and_no_mirror(service):
    expected = f"mlops-packages/{service}:{version_of(service, 'packages')}"
    assert image_for(service, "packages", "mirror.example/hub") == expected


def test_a_set_says_what_it_lacks():
    assert lacks("kibana", "packages")
    assert not lacks("kibana", "official")
    assert lacks("elasticsearch", "packages", "data_stream_api")
    assert not lacks("elasticsearch", "official", "data_stream_api")
    assert not lacks("grafana", "packages")
    assert release("kibana", "packages") is None


def test_what_is_absent_or_unknown_is_named():
    with pytest.raises(LookupError, match="no image of kibana"):
        image_for("kibana", "packages")
    with pytest.raises(LookupError, match="no row 'grafna'"):
        image_for("grafna", "official")
