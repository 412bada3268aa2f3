"""Alerts about Alertmanager: that people are told is the purpose of all others."""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule, RuleGroup

COMPONENT = "alertmanager"


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about who tells; that it is down is told by ``TargetDown`` and the dead man's switch."""
    more = links.dashboard(uids.WATCHERS) | links.service_logs("alertmanager")
    rules = (
        AlertRule(
            name="AlertmanagerCannotNotify",
            expression="sum by (integration) (increase(alertmanager_notifications_failed_total[2m])) > 0",
            # One failure is tried again; messages that fail for this long are late at least.
            hold=180,
            severity="critical",
            summary="Alertmanager cannot send messages by {{ $labels.integration }}",
            description="It keeps trying. Until it succeeds, those who are told this way only are not told "
            "of any alert.",
            links=more,
        ),
        AlertRule(
            name="AlertmanagerRefusesAlerts",
            expression="increase(alertmanager_alerts_invalid_total[5m]) > 0",
            severity="critical",
            summary="Alertmanager refuses alerts as invalid",
            description="{{ $value | humanize }} within five minutes: they fire in Prometheus, and nobody is "
            "told of them.",
            links=more,
        ),
        AlertRule(
            name="AlertmanagerConfigRefused",
            expression="alertmanager_config_last_reload_successful == 0",
            hold=60,
            severity="critical",
            summary="Alertmanager has refused its new configuration",
            description="It goes on with the old one until it is restarted, and will not start with the "
            "new one.",
            links=more,
        ),
        AlertRule(
            name="AlertmanagerCannotSave",
            expression="increase(alertmanager_nflog_maintenance_errors_total[1h])"
            " + increase(alertmanager_silences_maintenance_errors_total[1h]) > 0",
            severity="warning",
            summary="Alertmanager cannot write its state to the disk",
            description="After a restart it has forgotten silences, and tells again what it told already. A "
            "full disk is the usual reason.",
            links=more,
        ),
        AlertRule(
            name="AlertmanagerRestarts",
            expression='changes(process_start_time_seconds{job="alertmanager"}[15m]) > 2',
            severity="warning",
            summary="Alertmanager has started {{ $value | humanize }} times within 15 minutes",
            description="Messages are late or missing while it starts.",
            links=more,
            labels={"service": COMPONENT},
        ),
    )
    return (RuleGroup(component=COMPONENT, rules=rules),)
