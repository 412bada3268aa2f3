"""Kibana's data views by the identifiers that links and saved searches name."""

TASK_LOGS = "airflow-task-logs"
CONTAINER_LOGS = "container-logs"
DEAD_LETTERS = "dead-letters"
