"""The metrics that alerts about Airflow name, compared with what can be there.

Decides that each is shown by the exporter of the database or is in Airflow's own registry of metrics. Cannot
decide that Airflow really sends what its registry lists.
"""

import importlib.util
import json
import re
import sys
from pathlib import Path

from configs import airflow_exporter
from configs.alerts import airflow, statsd_exporter
from configs.links import Links

LINKS = Links(stack="test", airflow="http://airflow.example", prometheus="http://prometheus.example")
REGISTRY = """
import json, pathlib, yaml
import airflow._shared.observability.metrics as metrics
registry = yaml.safe_load((pathlib.Path(metrics.__file__).parent / "metrics_template.yaml").read_text())
print("RESULT " + json.dumps([entry["name"] for entry in registry["metrics"]]))
"""


def named() -> set[str]:
    """The metrics of Airflow in all expressions, without what a histogram adds to its name."""
    groups = (*airflow.groups(LINKS), *statsd_exporter.groups(LINKS))
    expressions = [rule.expression for group in groups for rule in group.rules]
    names = {name for text in expressions for name in re.findall(r"\bairflow_[a-z_]+", text)}
    return {re.sub("_(bucket|sum|count)$", "", name) for name in names}


def shown_by_the_exporter() -> set[str]:
    folder = Path(airflow_exporter.__file__).parent / "exporters"
    specification = importlib.util.spec_from_file_location("readings", folder / "airflow_readings.py")
    readings = importlib.util.module_from_spec(specification)
    sys.modules["readings"] = readings
    specification.loader.exec_module(readings)
    return {name for reading in readings.READINGS for name in reading.metrics}


def test_every_metric_of_an_alert_is_the_exporters_or_in_airflows_registry(run_in_image):
    answer = run_in_image("airflow", ["python", "-c", REGISTRY], {}, user="50000:0")
    assert answer.returncode == 0, answer.stderr.decode()[-2000:]
    line = next(text for text in answer.stdout.decode().splitlines() if text.startswith("RESULT "))
    sent = {f"airflow_{re.sub('[.-]', '_', name)}" for name in json.loads(line.removeprefix("RESULT "))}
    own = shown_by_the_exporter() | {"airflow_exporter_truncated"}
    assert len(named()) > 20
    assert named() <= own | sent
