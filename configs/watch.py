"""What a service says about how it is to be watched; the watching services are given the collection."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from configs.scrape import ScrapeJob


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One component's declaration.

    Attributes:
        scrape_jobs: where Prometheus finds its metrics.
        dashboards: file name -> Grafana dashboard in classic JSON.
    """

    scrape_jobs: tuple[ScrapeJob, ...] = ()
    dashboards: Mapping[str, str] = field(default_factory=dict)
