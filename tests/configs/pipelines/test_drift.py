"""The drift measures, beside scipy's and on odd data, in the image that tasks run in: numpy is there.

Decides that PSI and KS are what their names say, and what becomes of constant, missing and scarce values.
Cannot decide whether 0.2 and 0.01 are the right bounds for somebody's data.
"""

import math

import pytest


@pytest.fixture(scope="module")
def beside_scipy(run_script, pipelines_image):
    return run_script("compare_with_scipy.py", image=pipelines_image)


@pytest.fixture(scope="module")
def cases(run_script, pipelines_image):
    return run_script("drift_cases.py", image=pipelines_image)


def test_the_ks_statistic_is_scipys(beside_scipy):
    assert len(beside_scipy) == 96
    for each in beside_scipy:
        assert each["ks"][0] == pytest.approx(each["ks"][1], abs=1e-12), each


def test_the_pvalue_is_near_scipys_exact_one_and_decides_the_same(beside_scipy):
    small = [each for each in beside_scipy if 1e-6 < each["pvalue"][1] < 0.05]
    assert len(small) > 5
    for each in beside_scipy:
        found, exact = each["pvalue"]
        assert found == pytest.approx(exact, abs=0.08), each
        if each in small:
            smaller_side = min(each["case"][:2])
            assert 0.6 < found / exact < 1.4 if smaller_side < 100 else 0.85 < found / exact < 1.15, each
        if exact < 0.006 or exact > 0.015:
            assert (found < 0.01) == (exact < 0.01), each


def test_the_psi_is_the_symmetric_relative_entropy(beside_scipy):
    compared = [each for each in beside_scipy if each["psi"]]
    assert len(compared) == 48
    for each in compared:
        assert each["psi"][0] == pytest.approx(each["psi"][1], abs=1e-12), each


@pytest.mark.parametrize(
    "case",
    ["same", "constant, same", "mostly zero, same", "missing, as before", "all missing, as before"],
)
def test_the_same_values_do_not_drift(cases, case):
    measures = cases[case]["x"]
    assert measures["psi"] < 0.01
    assert measures["ks"] < 0.01
    assert measures["ks_pvalue"] == 1
    assert not measures["drifted"]


@pytest.mark.parametrize(
    "case",
    [
        "constant, larger",
        "constant, smaller",
        "mostly zero, gone",
        "missing, new",
        "all missing, new",
        "all missing, no more",
        "infinite",
    ],
)
def test_other_values_drift_and_are_numbers(cases, case):
    measures = cases[case]["x"]
    assert measures["drifted"]
    assert all(math.isfinite(measures[name]) for name in ("psi", "ks", "ks_pvalue"))


def test_too_few_rows_are_not_compared(cases):
    assert (cases["19 rows"], cases["no row"], cases["small reference"]) == ({}, {}, {})
    assert not cases["20 rows"]["x"]["drifted"]


def test_mistakes_are_refused_where_the_model_is_trained(cases):
    assert "want rows of 1 columns" in cases["columns"]
    assert "want rows of 1 columns" in cases["names"]
    assert "same label" in cases["labels"]
    assert "at most 100" in cases["many"]


def test_chance_seldom_looks_like_drift(cases):
    """Of 2000 undrifted tables as large as the example's, by a lognormal distribution."""
    assert cases["false alarms"] <= 4


def test_a_reference_is_small_and_read_as_it_was_saved(cases):
    assert cases["file"] == {"same": True, "again": True, "rows": 2000, "bytes": cases["file"]["bytes"]}
    assert cases["file"]["bytes"] < 100_000
