"""Documents that Elasticsearch refused: kept whole as text, with the reason and where they came from."""

from configs.data_streams import KEYWORD, TEXT, DataStream, fields, script

PIPELINE = "dead-letters"

_DOTTED = ("error.type", "error.message")

# What Filebeat sends instead of a refused document: `message` is that document's JSON, `error.type` the
# status and `error.message` the server's answer, again as JSON. Where the document itself was too much for
# the parser, its file is still found.
_FILE = r'"file":\{[^{}]{0,200}"path":"(?<at.path>[^"]+)"'


def data_stream(stack: str) -> str:
    """The name of the data stream of what a stack's other log streams refused."""
    return f"logs-dead_letter-{stack}"


def stream(*, stack: str, retention_seconds: int) -> DataStream:
    """The data stream; its mapping refuses nothing that Filebeat sends it."""
    return DataStream(
        name=data_stream(stack),
        pipeline=PIPELINE,
        retention=retention_seconds,
        processors=[
            *({"dot_expander": {"field": field, "ignore_failure": True}} for field in _DOTTED),
            {"json": {"field": "message", "target_field": "at.document", "ignore_failure": True}},
            {
                "grok": {
                    "field": "message",
                    "patterns": [_FILE],
                    "ignore_failure": True,
                    "if": "ctx.at?.document == null",
                }
            },
            {"json": {"field": "error.message", "target_field": "at.answer", "ignore_failure": True}},
            script("dead_letter.painless"),
        ],
        on_failure=[{"remove": {"field": "at", "ignore_missing": True}}],
        properties={
            "message": TEXT,
            "event": fields(dataset=KEYWORD),
            "log": fields(file=fields(path=KEYWORD), offset={"type": "long", "ignore_malformed": True}),
            "service": fields(name=KEYWORD),
            "container": fields(id=KEYWORD, name=KEYWORD),
            "error": fields(code=KEYWORD, type=KEYWORD, message=TEXT),
        },
    )
