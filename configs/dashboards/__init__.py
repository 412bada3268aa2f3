"""Grafana dashboards as code, rendered to classic JSON, which every Grafana since 10 reads from files."""
