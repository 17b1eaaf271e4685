"""The vocabulary of answers: what rules may say, in order."""

CORRIDORS = ("uk-japan", "us-japan")
TOPICS = (
    "semiconductors", "ai", "quantum", "telecoms", "cyber", "digital-government", "space",
    "clean-energy", "biotech", "robotics", "defence-dual-use", "critical-minerals", "supply-chain",
    "skills", "rd-funding", "startups-investment", "industrial-policy", "standards-regulation",
    "export-controls", "science-research",
)  # fmt: skip
EVENTS = (
    "agreement", "joint-statement", "funding", "investment", "rd-programme", "visit-talks",
    "event-workshop", "company-partnership", "policy", "analysis", "other",
)  # fmt: skip
PRIORITIES = ("high", "normal", "low")
AUTHORITIES = ("official", "industry", "thinktank", "press", "aggregator")  # most to least trusted
SOURCE_KINDS = ("feed", "page", "sitemap", "watch", "search")
