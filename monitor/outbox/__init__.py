"""Digests leave the house: compose writes them into the outbox, flush delivers them.

```
compose  due digests | claim unreported matches | render | write one outbox row per message and recipient
flush    due rows    | deliver, channels side by side    | mark sent, or retry_at, or dead
```

Claims and rows are written in one transaction, after rendering: a digest that cannot be rendered
has claimed nothing. A row turns `sent` after the channel accepted it: stopped in between, it is sent
again under the same key and Message-ID, one repeat at worst and never a loss.
"""

from __future__ import annotations

from monitor.outbox.compose import (
    Composed,
    ComposeReport,
    ComposeStore,
    compose,
    preview,
)
from monitor.outbox.flush import Channel, FlushReport, FlushStore, Patience, backoff, flush
from monitor.outbox.messages import message_id, outbox_key
from monitor.outbox.request import Requested, aimed, request

__all__ = [
    "Channel",
    "ComposeReport",
    "ComposeStore",
    "Composed",
    "FlushReport",
    "FlushStore",
    "Patience",
    "Requested",
    "aimed",
    "backoff",
    "compose",
    "flush",
    "message_id",
    "outbox_key",
    "preview",
    "request",
]
