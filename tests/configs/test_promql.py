"""The dashboards' arithmetic on counters, judged by Prometheus's own evaluator.

Decides what ``grown``, ``mean`` and ``quantile`` say at a counter's birth, growth, rest and restart. Cannot
decide whether the counters of a running Airflow bear these names.
"""

import pytest
import yaml

from configs.dashboards.promql import grown, mean, quantile

USER = "65534:0"
TESTS = "/etc/prometheus/tests.yml"


def evaluate(run_in_image, series, expression, at, expected):
    """Let promtool compare ``expression`` at ``at`` with ``expected``; samples are 10 s apart.

    promtool knows no sample after the last whole evaluation interval before ``at``.
    """
    samples = [{"labels": labels, "value": value} for labels, value in expected.items()]
    case = {
        "interval": "10s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": samples}],
    }
    files = {TESTS: yaml.safe_dump({"evaluation_interval": "10s", "tests": [case]})}
    verdict = run_in_image(
        "prometheus", ["test", "rules", TESTS], files, user=USER, entrypoint="/bin/promtool"
    )
    return verdict.returncode == 0, (verdict.stdout + verdict.stderr).decode()


@pytest.mark.parametrize(
    ("values", "at", "growth"),
    [
        pytest.param("_x6 1+0x20", "1m", 1, id="birth"),
        pytest.param("_x6 1+0x20", "90s", 1, id="still within the window"),
        pytest.param("_x6 1+0x20", "3m", 0, id="window over"),
        pytest.param("5+0x6 7+0x20", "1m10s", 2, id="growth"),
        pytest.param("5+0x30", "2m", 0, id="rest"),
        pytest.param("5+0x6 1+0x20", "1m10s", 0, id="restart"),
    ],
)
def test_growth(run_in_image, values, at, growth):
    series = {'ended{dag="a",task="t"}': values}
    accepted, report = evaluate(run_in_image, series, grown("ended", "dag", "1m"), at, {'{dag="a"}': growth})
    assert accepted, report


def test_a_wrong_expectation_is_refused(run_in_image):
    series = {'ended{dag="a"}': "5+0x30"}
    accepted, _ = evaluate(run_in_image, series, grown("ended", "dag", "1m"), "2m", {'{dag="a"}': 5})
    assert not accepted


def test_mean_of_the_first_run_and_of_none(run_in_image):
    series = {'took_sum{dag="a"}': "_x6 30x30", 'took_count{dag="a"}': "_x6 2x30"}
    expression = mean("took", "", "dag", "1m")
    assert evaluate(run_in_image, series, expression, "1m10s", {'{dag="a"}': 15})[0]
    assert evaluate(run_in_image, series, expression, "4m", {})[0]


def test_quantile_of_the_first_run(run_in_image):
    buckets = {"1": "_x6 0x30", "2": "_x6 4x30", "+Inf": "_x6 4x30"}
    series = {f'took_bucket{{dag="a",le="{bound}"}}': values for bound, values in buckets.items()}
    expression = quantile(0.5, "took", "", "dag", "1m")
    accepted, report = evaluate(run_in_image, series, expression, "1m10s", {'{dag="a"}': 1.5})
    assert accepted, report
