"""Stories, not articles: which articles report the same news, and why.

`fingerprint` turns an article into what is compared, `decide` places it among the candidates,
`cluster` does so for a whole file. Pure: candidates come from the caller.
"""

from monitor.stories.decide import decide
from monitor.stories.evaluate import cluster, score_clusters
from monitor.stories.fingerprint import fingerprint

__all__ = ["cluster", "decide", "fingerprint", "score_clusters"]
