"""The first two steps: poll sources, process what they brought.

    poll     due sources   | fetch (parallel) | parse in a worker             | drop known | record
    process  pending items | fetch (parallel) | extract, classify in a worker | join story | record

A line starts from the database and ends in a transaction, so each can be run alone, twice, or after
a crash: what was not committed is simply due again.
"""

from monitor.pipeline.poll import PollReport, poll
from monitor.pipeline.polled import PollPolicy
from monitor.pipeline.process import ProcessPolicy, ProcessReport, process

__all__ = ["PollPolicy", "PollReport", "ProcessPolicy", "ProcessReport", "poll", "process"]
