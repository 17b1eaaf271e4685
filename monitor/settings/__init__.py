"""The configuration: reading it, and everything wrong in it at once.

`load` gives a `Config`; `Secret` names a secret without holding it.
"""

from monitor.settings.load import (
    RULE_FOLDERS,
    Config,
    in_folder,
    load,
    load_digests,
    load_monitor,
    load_rules,
    named_database,
    read_rule_files,
    secrets_of,
)
from monitor.settings.locate import find_config
from monitor.settings.monitor_file import MonitorSettings
from monitor.settings.secrets import Secret

__all__ = [
    "RULE_FOLDERS",
    "Config",
    "MonitorSettings",
    "Secret",
    "find_config",
    "in_folder",
    "load",
    "load_digests",
    "load_monitor",
    "load_rules",
    "named_database",
    "read_rule_files",
    "secrets_of",
]
