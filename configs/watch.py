"""What a service says about how it is to be watched; the watching services are given the collection."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from configs.rules import Inhibition, RuleGroup
from configs.scrape import ScrapeJob


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A page that must answer, asked from the stack's own network.

    Attributes:
        service: whose page it is; the label ``service`` of its samples.
        url: the page; any answer of success will do unless ``body`` says more.
        body: regular expression that the answer's text must match; None for any text.
    """

    service: str
    url: str
    body: str | None = None


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One component's declaration.

    Attributes:
        scrape_jobs: where Prometheus finds its metrics.
        probes: pages of it that must answer.
        rules: the alerts about it.
        inhibitions: which alerts are pointless while one of its own fires.
        dashboards: file name -> Grafana dashboard in classic JSON.
    """

    scrape_jobs: tuple[ScrapeJob, ...] = ()
    probes: tuple[Probe, ...] = ()
    rules: tuple[RuleGroup, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    dashboards: Mapping[str, str] = field(default_factory=dict)
