"""The arithmetic of alerts and dashboards on counters, judged by Prometheus's own evaluator.

Decides what ``grew``, ``grown``, ``mean`` and ``quantile`` say at a counter's birth, growth, rest, restart
and gap. Cannot decide whether the counters of a running Airflow bear these names.
"""

import pytest
import yaml

from configs.dashboards.promql import mean, quantile
from configs.growth import grew, grown

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


def test_old_events_after_a_gap_are_new_in_panels_and_not_in_alerts(run_in_image):
    series = {
        'ended{dag="a"}': "5+0x6 _x40 5+0x20",
        'up{job="statsd-exporter"}': "1x6 _x40 1x20",
        'process_start_time_seconds{job="statsd-exporter"}': "0x6 _x40 0x20",
    }
    # The gap ends after 460 s.
    at = "8m"
    assert evaluate(run_in_image, series, grown("ended", "dag", "1m"), at, {'{dag="a"}': 5})[0]
    accepted, report = evaluate(run_in_image, series, f"{grew('ended', 'dag', 60)} > 0", at, {})
    assert accepted, report


@pytest.mark.parametrize(
    ("uptime", "expected"),
    [
        pytest.param("_x6 5+10x20", {'{dag="a"}': 3}, id="the page has just started"),
        pytest.param("_x6 900+10x20", {}, id="it was there before, unseen"),
    ],
)
def test_growth_for_alerts_at_the_first_look(run_in_image, uptime, expected):
    """Of a page that does not say when its process started, but for how long it has run."""
    series = {'ended{dag="a"}': "_x6 3x20", 'up{job="x"}': "_x6 1x20", 'age{job="x"}': uptime}
    expression = f"{grew('ended', 'dag', 60, job='x', age='age')} > 0"
    accepted, report = evaluate(run_in_image, series, expression, "80s", expected)
    assert accepted, report


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
