"""What Airflow is told so that a task's log outlives its file: where the lines are kept and shown."""

from configs import task_logs
from configs.elasticsearch import LOG_READER, URL
from configs.secret_files import secret_path

SECRET = "log_reader_password"
"""The secret file that the API server reads the password of the user ``log_reader`` from."""

_MODULE = "mlops_task_logs"


def remote_log_settings(*, stack: str, kibana: str = "") -> dict[str, dict[str, object]]:
    """Return Airflow's settings: section -> key -> value; all of its processes may have them.

    Args:
        stack: names the data stream.
        kibana: address at which a person sees the lines of the task instance's try ``{log_id}``; empty
            where there is no Kibana.
    """
    return {
        "logging": {"logging_config_class": f"{_MODULE}.LOGGING_CONFIG"},
        "log_store": {
            "url": URL,
            "index": task_logs.data_stream(stack),
            "username": LOG_READER,
            "password_file": secret_path(SECRET),
            "kibana": kibana,
        },
    }
