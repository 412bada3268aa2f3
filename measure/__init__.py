"""How long it takes from an event until a person can see it, measured on a running stack: ``make measure``.

Events are made inside the stack's own containers and looked for where people look: by search, PromQL,
Jaeger's API, a webhook. Both ends are read from one clock, so the engine must be on this machine.
"""
