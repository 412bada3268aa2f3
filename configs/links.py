"""Where an alert, a panel or a message leads: addresses of the stack's pages, as a browser reaches them.

The methods fill in labels of an alert by Prometheus's own templates; a page of a service that is off is left
out, so that nobody follows a link to nowhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from configs.dashboards import uids
from configs.data_views import CONTAINER_LOGS, TASK_LOGS

_RUN = "dags/{dag_id}/runs/{run_id}"


@dataclass(frozen=True, kw_only=True)
class Links:
    """The stack's published addresses; empty for a service that is off.

    Attributes:
        stack: whose they are.
        task_logs: whether the log lines of tasks are stored.
        container_logs: whether those of services are.
        runbooks: where the pages of ``docs/runbooks`` are read: an address, or the path in the repository.
    """

    stack: str
    airflow: str
    prometheus: str
    grafana: str = ""
    elasticsearch: str = ""
    kibana: str = ""
    jaeger: str = ""
    alertmanager: str = ""
    task_logs: bool = True
    container_logs: bool = True
    runbooks: str = "docs/runbooks"

    @classmethod
    def of(cls, stack: str, endpoints: Mapping[str, str], *, runbooks: str, **more: bool) -> "Links":
        """From the stack's end points, service -> address; what else the links depend on is given by name."""
        pages = ("airflow", "prometheus", "grafana", "elasticsearch", "kibana", "jaeger", "alertmanager")
        found = {name: endpoints.get(name, "") for name in pages}
        return cls(stack=stack, runbooks=runbooks.rstrip("/"), **found, **more)

    def dag(self) -> dict[str, str]:
        """The page of the alert's ``dag_id``."""
        return {"dag": f"{self.airflow}/dags/{_label('dag_id')}"}

    def run(self) -> dict[str, str]:
        """The page of the alert's ``dag_id`` and ``run_id``, its log lines and its trace."""
        run = f"{self.airflow}/{_RUN.format(dag_id=_label('dag_id'), run_id=_label('run_id'))}"
        return {"run": run} | self._logs("dag_id", "run_id") | self._trace()

    def task(self) -> dict[str, str]:
        """The page of the alert's task instance, which shows its log; the run's log lines and its trace."""
        links = self.run()
        task = f"{links['run']}/tasks/{_label('task_id')}"
        mapped = f"{task}/mapped/{{{{ $labels.map_index }}}}"
        page = f'{{{{ if eq $labels.map_index "-1" }}}}{task}{{{{ else }}}}{mapped}{{{{ end }}}}'
        return links | {"task": page} | self._logs("dag_id", "run_id", "task_id")

    def service_logs(
        self, service: str = "{{ $labels.service | urlquery }}", *, name: str = "logs"
    ) -> dict[str, str]:
        """The log lines of a service's container: by its name, or by the alert's label ``service``.

        ``name`` is the link's own, where the alert has other log lines too.
        """
        if not self.container_logs:
            return {}
        if self.kibana:
            return {name: self._discover(CONTAINER_LOGS, f"service.name%3A%22{service}%22")}
        return self._log_board(name, f"var-service={service}")

    def log_of(self, log_id: str) -> str:
        """The log lines of one try of a task in Kibana, by the key that they share; empty without Kibana."""
        query = f"log_id%3A%22{log_id}%22"
        return self._discover(TASK_LOGS, query, since="now-10y") if self.kibana else ""

    def dashboard(self, uid: str, **variables: str) -> dict[str, str]:
        """A dashboard; ``variables``: dashboard variable -> label of the alert that it takes."""
        if not self.grafana:
            return {}
        chosen = "&".join(f"var-{name}={_label(label)}" for name, label in sorted(variables.items()))
        return {"dashboard": f"{self.grafana}/d/{uid}{'?' if chosen else ''}{chosen}"}

    def _logs(self, *labels: str) -> dict[str, str]:
        if not self.task_logs:
            return {}
        terms = [f"airflow.{label}%3A%22{_label(label)}%22" for label in labels]
        if self.kibana:
            # As far back as there are lines: a failure stays until a later run succeeds.
            return {"logs": self._discover(TASK_LOGS, "%20and%20".join(terms), since="now-10y")}
        return self._log_board("logs", f"var-search={'%20AND%20'.join(terms)}")

    def _log_board(self, name: str, chosen: str) -> dict[str, str]:
        if not (self.grafana and self.elasticsearch):
            return {}
        return {name: f"{self.grafana}/d/{uids.LOGS}?{chosen}&from=now-30d&to=now"}

    def _discover(self, data_view: str, query: str, *, since: str = "now-24h") -> str:
        state = f"(dataSource:(dataViewId:{data_view},type:dataView),query:(language:kuery,query:'{query}'))"
        return f"{self.kibana}/app/discover#/?_g=(time:(from:{since},to:now))&_a={state}"

    def _trace(self) -> dict[str, str]:
        if not self.jaeger:
            return {}
        # In quotes, since Jaeger takes a value for a regular expression otherwise, and run ids hold a plus.
        tags = quote(json.dumps({"airflow.dag_run.run_id": '"RUN"'}, separators=(",", ":")))
        search = f"{self.jaeger}/search?service=airflow&lookback=60d&tags={tags}".replace(
            "RUN", _label("run_id")
        )
        trace = f"{self.jaeger}/trace/{{{{ $labels.trace_id }}}}"
        return {"trace": f"{{{{ if $labels.trace_id }}}}{trace}{{{{ else }}}}{search}{{{{ end }}}}"}


def _label(name: str) -> str:
    return f"{{{{ $labels.{name} | urlquery }}}}"
