"""What a service says about its metrics page; Prometheus is given the collection of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ScrapeJob:
    """One scrape job.

    Attributes:
        name: the value of the label ``job``, unique within the stack.
        targets: ``host:port`` of each metrics page, as seen from the stack's network.
        path: the page.
        interval: seconds between scrapes; None for the stack's own interval.
        labels: labels put on every sample of these targets.
        params: parameters of the page's query.
        drop: regular expressions of metric names that are not stored.
        username: user of HTTP basic authentication; None for none.
        password_file: path of that user's password in Prometheus's container; given with ``username`` only.
    """

    name: str
    targets: tuple[str, ...]
    path: str = "/metrics"
    interval: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    username: str | None = None
    password_file: str | None = None

    def __post_init__(self) -> None:
        """Refuse what Prometheus would refuse only when it starts."""
        if not self.targets:
            message = f"the scrape job {self.name!r} has no target"
            raise ValueError(message)
        if (self.username is None) != (self.password_file is None):
            message = f"the scrape job {self.name!r} needs both a user name and a password file, or neither"
            raise ValueError(message)
