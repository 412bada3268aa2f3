"""Pulumi components: one file per service, all built on :mod:`components.service`."""
